package conformance

import (
	"flag"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/export"
	"github.com/perijove/perijove/kernel/internal/export/translate"
	nbfile "github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/version"
)

var exportRun = flag.Bool("export.run", false, "also run the exported notebooks of this project, and compare what they print")

// TestExportedNotebooks exports this project's notebooks: the programs are formatted, pass go vet and compile. With -export.run it also runs the
// notebooks and the programs, and compares what each cell prints; see varying.
func TestExportedNotebooks(t *testing.T) {
	folder, err := filepath.Abs("../../../notebooks")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.ipynb"))
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	img := openImage(t)
	dir := t.TempDir()
	exporter, err := export.NewExporter(t.Context(), export.Options{
		Options: translate.Options{Name: "notebooks", Source: "test.ipynb", Dir: folder, GOROOT: img.Toolchain.Root},
		Target:  dir, Go: img.Toolchain.Go, Library: perijove.Source, Version: version.Version,
	})
	if err != nil {
		t.Fatal(err)
	}
	var exported []string
	for _, file := range files {
		nb, err := nbfile.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if exportNotebook(t, exporter, file, nb, filepath.Join(dir, programOf(file))) {
			exported = append(exported, file)
		}
	}
	if out := goInModule(t, img, dir, "fmt", "./..."); out != "" {
		t.Errorf("gofmt changes %s", out)
	}
	goInModule(t, img, dir, "vet", "./...")
	goInModule(t, img, dir, "build", "-o", "bin/", "./...")
	if !*exportRun || t.Failed() {
		return
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Fatal("the notebooks run Python programs: ", err)
	}
	for _, file := range exported {
		c := newComparison(t, img, exporter, file, filepath.Join(dir, "marked", programOf(file)))
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // the notebooks sleep most of the time
			c.run(t, img)
		})
	}
}

func programOf(file string) string {
	return strings.ToLower(strings.TrimSuffix(filepath.Base(file), ".ipynb"))
}

// exportNotebook exports a notebook to a folder.
func exportNotebook(t *testing.T, exporter *export.Exporter, file string, nb *nbfile.Notebook, dir string) bool {
	t.Helper()
	sources, err := exporter.Files(nb)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return false
	}
	for name, text := range sources {
		writeProgram(t, filepath.Join(dir, name), text)
	}
	return true
}

// units are words that follow a number, and change with its size.
var units = []string{"ns", "µs", "ms", "s", "B", "kB", "MB", "GB", "B/s", "kB/s", "MB/s", "GB/s", "thousand", "million", "billion"}

// withoutNumbers returns a text that does not depend on times, sizes and numbers. A run of digits, with its points and
// commas, becomes 0, and a unit after it is left out. The number of blanks between words does not count, since columns
// are as wide as their numbers. All other words must be the same, in the same order.
func withoutNumbers(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		for _, word := range strings.Fields(line) {
			bare := strings.Trim(word, ".,;:)]*")
			if len(words) > 0 && strings.ContainsRune(words[len(words)-1], '0') && slices.Contains(units, bare) {
				continue
			}
			words = append(words, zeroed(word))
		}
		words = append(words, "\n")
	}
	return strings.Join(words, " ")
}

// zeroed replaces the numbers in a word, with their units.
func zeroed(word string) string {
	var out strings.Builder
	inNumber := false
	rest := []rune(word)
	for i := 0; i < len(rest); i++ {
		r := rest[i]
		isPoint := (r == '.' || r == ',') && inNumber && i+1 < len(rest) && unicode.IsDigit(rest[i+1])
		if unicode.IsDigit(r) || isPoint {
			if !inNumber {
				out.WriteByte('0')
			}
			inNumber = true
			continue
		}
		if inNumber {
			n := 0
			for i+n < len(rest) && unicode.IsLetter(rest[i+n]) {
				n++
			}
			if slices.Contains(units, string(rest[i:i+n])) {
				i += n - 1
				inNumber = false
				continue
			}
		}
		inNumber = false
		out.WriteRune(r)
	}
	return out.String()
}

func TestWithoutNumbers(t *testing.T) {
	same := [][2]string{
		{"Wall time: 932 ns", "Wall time: 9.88 µs"}, {"at 252ms X = 1; at 1.25s X", "at 1s X = 2; at 501ms X"}, {"1   2\n", "10 2\n"},
		{"(2 runs, 1,000 loops)", "(3 runs, 10 loops)"}, {"a\n", "a \n"},
	}
	for _, pair := range same {
		if a, b := withoutNumbers(pair[0]), withoutNumbers(pair[1]); a != b {
			t.Errorf("%q and %q differ: %q, %q", pair[0], pair[1], a, b)
		}
	}
	for _, pair := range [][2]string{{"a 1", "b 1"}, {"1 2", "1"}, {"a\nb", "a b"}, {"x 1ms", "x 1m"}, {"true", "false"}} {
		if withoutNumbers(pair[0]) == withoutNumbers(pair[1]) {
			t.Errorf("%q and %q are the same", pair[0], pair[1])
		}
	}
}
