package conformance

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
)

var (
	randomCount = flag.Int("random.n", 40, "how many random notebooks to compare with compiled programs")
	randomSeed  = flag.Uint64("random.seed", 1, "the first one's seed; the others follow")
)

// TestRandomNotebooks runs random notebooks, in which cells redefine functions and constants
// and some cells run repeatedly, and compares the output of each cell with that of an
// equivalent compiled program.
func TestRandomNotebooks(t *testing.T) {
	img := openImage(t)
	n := *randomCount
	notebooks := make([]*notebook, n)
	for i := range notebooks {
		notebooks[i] = newNotebook(*randomSeed + uint64(i))
	}
	want := compiledOutputs(t, img, notebooks)
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	var lane sync.WaitGroup
	for range lanes {
		lane.Go(func() {
			for i := range next {
				if err := compareNotebook(t, img, notebooks[i], want[i]); err != nil {
					t.Errorf("-random.seed %d -random.n 1: %v", *randomSeed+uint64(i), err)
				}
			}
		})
	}
	lane.Wait()
}

// compiledOutputs builds and runs one program for all notebooks. It returns the output of each
// cell run of each notebook.
func compiledOutputs(t *testing.T, img *image.Image, notebooks []*notebook) [][]string {
	dir := t.TempDir()
	var imports, calls strings.Builder
	write := func(name, content string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, nb := range notebooks {
		name := packageOf(i)
		write(filepath.Join(name, "p.go"), nb.program(name))
		fmt.Fprintf(&imports, "\t%q\n", "random/"+name)
		fmt.Fprintf(&calls, "\tfmt.Println(\"######\")\n\t%s.Run()\n", name)
	}
	write("go.mod", "module random\n\ngo 1.26\n")
	write("main.go", "package main\n\nimport (\n\t\"fmt\"\n"+imports.String()+")\n\nfunc main() {\n"+calls.String()+"}\n")
	cmd := exec.CommandContext(t.Context(), filepath.Join(img.Toolchain.Root, "bin", "go"), "run", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the compiled programs: %v\n%s", err, stderr.String())
	}
	var list [][]string
	for i, part := range strings.Split(string(out), "######\n")[1:] {
		steps := strings.Split(strings.ReplaceAll(part, packageOf(i)+".", "main."), "== ")
		for j, step := range steps {
			_, steps[j], _ = strings.Cut(step, "\n")
		}
		list = append(list, steps[1:])
	}
	return list
}

// packageOf returns the package name of a notebook's program. It is as long as "main", since
// programs print the lengths of type names.
func packageOf(i int) string { return fmt.Sprintf("%c%03d", 'p'+i/1000, i%1000) }

// keptNotice matches the notice about function literals that keep the old version of a constant or of generic code. Later
// cells of random notebooks do not call such literals.
var keptNotice = regexp.MustCompile(`(?m)^function literals made by .* since they capture variables\n`)

// compareNotebook runs a notebook in a new session and compares the output of each cell.
func compareNotebook(t *testing.T, img *image.Image, nb *notebook, want []string) error {
	s, err := session.New(session.Config{Image: img, Dir: t.TempDir(), ProgressDelay: noProgress})
	if err != nil {
		return err
	}
	defer s.Close()
	var before strings.Builder
	for step, i := range nb.runs {
		var out recorder
		text := nb.cells[i].text
		fmt.Fprintf(&before, "--- cell\n%s", text)
		if err := execute(t, s, output.Request{Code: text, StoreHistory: true}, &out); err != nil {
			return fmt.Errorf("run %d of a cell fails: %w\nafter\n%s", step, err, before.String())
		}
		if got := keptNotice.ReplaceAllString(out.text(), ""); got != want[step] {
			return fmt.Errorf("run %d of a cell printed\n%s\nthe program\n%s\nafter\n%s", step, got, want[step], before.String())
		}
	}
	return nil
}
