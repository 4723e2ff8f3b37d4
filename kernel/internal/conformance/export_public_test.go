package conformance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export"
	"github.com/perijove/perijove/kernel/internal/image"
	nbfile "github.com/perijove/perijove/kernel/internal/notebook"
)

var exportFolder = flag.String("export.notebooks", "", "a folder with Go notebooks, such as public ones: export and run them, and compare what they print")

// notebookTimeout is how long a notebook may run: some wait for the network or for input.
const notebookTimeout = 2 * time.Minute

// An outcome is what the comparison of a notebook with its program has found.
type outcome string

const (
	isSame      outcome = "the program prints the same"
	isSameApart outcome = "the program prints the same but for cells that print something else in each run"
	isRefused   outcome = "the export refuses the notebook"
	isFailing   outcome = "the notebook does not run here"
)

// TestFolderOfNotebooks exports the notebooks of a folder. Each program must print what the notebook prints. Notebooks that the export refuses, or of which a cell
// fails, are counted. Without a folder the test uses its own notebooks, which have all outcomes.
func TestFolderOfNotebooks(t *testing.T) {
	img := openImage(t)
	folder := *exportFolder
	want := map[outcome]int{}
	if folder == "" {
		folder, want = ownNotebooks(t)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.ipynb"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	dir := t.TempDir()
	exporter := newExporter(t, img, dir)
	counts := map[outcome]int{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".ipynb")
		o, err := outcomeOf(t, img, exporter, file, filepath.Join(dir, strings.ToLower(name)))
		if o == "" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		counts[o]++
		t.Logf("%s: %s: %v", name, o, err)
	}
	t.Log(counts)
	if len(want) > 0 && !maps.Equal(counts, want) {
		t.Errorf("the outcomes are %v, want %v", counts, want)
	}
}

// outcomeOf compares a notebook with its program, in the folder dir. The error has the reason of the outcome; without an
// outcome, it has the difference.
func outcomeOf(t *testing.T, img *image.Image, exporter *export.Exporter, file, dir string) (outcome, error) {
	nb, ids := marked(t, file)
	var runs []map[string]string
	for range 2 { // what differs between two runs may differ in the program
		ctx, cancel := context.WithTimeout(t.Context(), notebookTimeout)
		out, err := runCells(ctx, img, nb, t.TempDir())
		cancel()
		if err != nil {
			return isFailing, err
		}
		runs = append(runs, out)
	}
	sources, err := exporter.Files(nb)
	var cells cell.Errors
	switch {
	case errors.As(err, &cells):
		return isRefused, cells
	case err != nil:
		return "", err
	}
	for name, text := range sources {
		writeProgram(t, filepath.Join(dir, name), text)
	}
	program := filepath.Join(dir, "program")
	goInModule(t, img, dir, "vet", ".")
	goInModule(t, img, dir, "build", "-o", program, ".")
	got := programOutputs(t, program, t.TempDir())
	o := isSame
	all := [2]string{}
	var differences []error
	for _, id := range ids {
		all[0], all[1] = all[0]+runs[0][id], all[1]+got[id]
		switch {
		case got[id] == runs[0][id] || got[id] == runs[1][id]:
		case runs[0][id] != runs[1][id] && anyOrder.compare(runs[0][id], got[id], nil) == nil:
			o = isSameApart
		default:
			differences = append(differences, fmt.Errorf("cell %s: the program printed\n%s\nthe notebook\n%s", id, got[id], runs[0][id]))
		}
	}
	switch {
	case differences == nil:
		return o, nil
	case startsGoroutines(nb) && anyOrder.compare(all[0], all[1], nil) == nil: // goroutines may print while a later cell runs
		return isSameApart, nil
	}
	return "", errors.Join(differences...)
}

// startsGoroutines reports whether a notebook has a go statement.
func startsGoroutines(nb *nbfile.Notebook) bool {
	return slices.ContainsFunc(nb.Cells, func(c *nbfile.Cell) bool {
		var s scanner.Scanner
		s.Init(token.NewFileSet().AddFile("", -1, len(c.Source)), []byte(c.Source), func(token.Position, string) {}, 0)
		for {
			switch _, tok, _ := s.Scan(); {
			case tok == token.GO && c.Type == nbfile.CodeCell:
				return true
			case tok == token.EOF:
				return false
			}
		}
	})
}

// ownNotebooks writes notebooks of all outcomes to a folder, and returns it with how many there are of each.
func ownNotebooks(t *testing.T) (string, map[outcome]int) {
	folder := t.TempDir()
	list := map[outcome][]string{
		isSame: {
			"func double(n int) int { return 2 * n }\n%%\nfmt.Println(double(4))", // as in notebooks for GoNB
			"%%writefile ${LIST_DIR}list.txt\na\n",
			"%%writefile -a list.txt\nb\n",
			"func init() { fmt.Println(\"init\") }",
			"var a, _, c = func() (int, int, int) { return 3, 5, 7 }()\nfmt.Println(a, c)",
			"import \"fmt\"\nfunc main() { fmt.Println(\"main\") }",
		},
		isSameApart: {"fmt.Println(time.Now().UnixNano())"},
		isRefused: {
			"!echo hello", "%%bash\necho hello", "%%script cat\nhello", "%ls", "%capture list.txt\nfmt.Println(1)", "%reset",
			"%%writefile ${GONB_TMP_DIR}list.txt\nhello",
		},
		isFailing: {"missing", "panic(1)"},
	}
	counts := map[outcome]int{}
	for o, cells := range list {
		for i, text := range cells {
			nb := parseNotebook(t, []string{text, "1 + 1"})
			if err := nb.Write(filepath.Join(folder, fmt.Sprintf("%c%d.ipynb", "sarf"[slices.Index([]outcome{isSame, isSameApart, isRefused, isFailing}, o)], i))); err != nil {
				t.Fatal(err)
			}
			counts[o]++
		}
	}
	return folder, counts
}
