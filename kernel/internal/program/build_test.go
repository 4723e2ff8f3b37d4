package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/perijove/perijove/kernel/internal/cell"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

// TestNotebooks builds the cells of txtar files: the files named N.cell, in their
// order. N.out, after each, is the expected result of Build.
func TestNotebooks(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { testNotebook(t, file) })
	}
}

func testNotebook(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram(t)
	want := map[string]string{}
	got := &txtar.Archive{Comment: ar.Comment}
	for _, f := range ar.Files {
		if strings.HasSuffix(f.Name, ".out") {
			want[f.Name] = string(f.Data)
		}
	}
	n := 0
	for _, f := range ar.Files {
		base, ok := strings.CutSuffix(f.Name, ".cell")
		if !ok {
			continue
		}
		n++
		out := base + ".out"
		text := runCell(p, n, string(f.Data))
		got.Files = append(got.Files, f, txtar.File{Name: out, Data: []byte(text)})
		if text != want[out] && !*update {
			t.Errorf("%s: cell %s\ngot:\n%s\nwant:\n%s", file, base, text, want[out])
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// runCell builds and commits a cell and describes the result. For a cell that
// is the line "worker lost", it calls WorkerLost instead.
func runCell(p *Program, n int, src string) string {
	var b strings.Builder
	if strings.TrimSpace(src) == "worker lost" {
		for _, v := range p.WorkerLost() {
			fmt.Fprintf(&b, "lost %s %s of %s\n", v.Name, v.Type, cell.Name(v.Cell))
		}
		return b.String()
	}
	u, err := buildText(context.Background(), p, n, src)
	var errs cell.Errors
	switch {
	case errors.As(err, &errs):
		return errs.Render() + "\n"
	case err != nil:
		return "failed: " + err.Error() + "\n"
	}
	p.Commit(u)
	fmt.Fprintf(&b, "entry %s init %v\nfresh %s\n", u.Entry, u.Init, strings.Join(u.Fresh, " "))
	if len(u.Renewed) > 0 {
		fmt.Fprintf(&b, "renewed %s\n", strings.Join(u.Renewed, " "))
	}
	for _, note := range slices.Concat(u.Notices, u.Returns) {
		fmt.Fprintf(&b, "notice: %s\n", note)
	}
	b.WriteString(unitSources(u))
	return b.String()
}

// unitSources returns the text of the generated files of a unit.
func unitSources(u *Unit) string {
	dir := strings.TrimSuffix(u.Object, ".o")
	if dir == "" {
		return "no object\n"
	}
	names, _ := filepath.Glob(dir + "/*.go")
	sort.Strings(names)
	var b strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "### %s\n", filepath.Base(name))
		for line := range strings.Lines(string(data)) {
			if strings.TrimSpace(line) != "" {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

// buildText parses and builds a cell.
func buildText(ctx context.Context, p *Program, n int, src string) (*Unit, error) {
	c, errs := cell.Parse(n, src)
	if errs != nil {
		return nil, errs
	}
	return p.Build(ctx, c)
}
