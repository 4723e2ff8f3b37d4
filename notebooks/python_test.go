package notebooks

import (
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const pythonAndGo = "04-python-and-go.ipynb"

// checkPythonAndGo checks an executed notebook on a machine with python3.
func checkPythonAndGo(t *testing.T, nb *stored) {
	t.Helper()
	checkExecuted(t, nb)
	differs := nb.cell(t, "differs").shown("text/markdown")
	inPython := 0 // X in a child that was not started by fork
	if strings.Contains(differs, "**fork**") {
		inPython = 100
	}
	if err := checkSharedX(nb.cell(t, "run-python").stdout(), 100, inPython); err != nil {
		t.Errorf("Python's program: %v\n%s", err, nb.cell(t, "run-python").stdout())
	}
	if err := checkSharedX(nb.cell(t, "run-go").stdout(), 100, 0); err != nil {
		t.Errorf("Go's program: %v\n%s", err, nb.cell(t, "run-go").stdout())
	}
	if want := `^Here, Python \d+\.\d+.* starts processes by \*\*\w+\*\*, .* \*\*\d+\*\*`; !regexp.MustCompile(want).MatchString(differs) {
		t.Errorf("the difference is %q", differs)
	}
	table := nb.cell(t, "compare").shown("text/plain")
	for _, who := range []string{"Python threads", "Python processes", "goroutines", "Go processes"} {
		if !regexp.MustCompile(who + ` .*\d+\.\d\d × \[`).MatchString(table) {
			t.Errorf("the table lacks %s:\n%s", who, table)
		}
	}
	checkSideBySide(t, nb)
}

var listing = regexp.MustCompile(`(?s)<pre><code>(.*?)</code></pre>`)

// checkSideBySide compares the programs in the notebook's text with the cells that run.
func checkSideBySide(t *testing.T, nb *stored) {
	t.Helper()
	words := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u200b", "")), " ") }
	var shown []string
	for _, m := range listing.FindAllStringSubmatch(string(nb.cell(t, "programs").Source), -1) {
		shown = append(shown, words(html.UnescapeString(m[1])))
	}
	if len(shown) != 2 {
		t.Fatalf("%d programs are side by side", len(shown))
	}
	if run := words(string(nb.cell(t, "python").Source)); !strings.Contains(run, shown[0]) {
		t.Errorf("Python's program is shown as\n%s\nand run as\n%s", shown[0], run)
	}
	run := words(strings.Replace(string(nb.cell(t, "access-x").Source+"\n"+nb.cell(t, "run-go").Source), "ctx := context.Background()", "", 1))
	if run != shown[1] {
		t.Errorf("Go's program is shown as\n%s\nand run as\n%s", shown[1], run)
	}
}

func TestPythonAndGoRuns(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil && os.Getenv("PERIJOVE_REQUIRE_JUPYTER") == "" {
		t.Skip("there is no python3 on PATH")
	}
	out := filepath.Join(t.TempDir(), "out.ipynb")
	run(t, pythonAndGo, "-o", out)
	checkPythonAndGo(t, read(t, out))
}

func TestPythonAndGoIsStoredExecuted(t *testing.T) { checkPythonAndGo(t, read(t, pythonAndGo)) }
