package program

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/programtest"
)

const mistakesFile = "testdata/mistakes/mistakes.txtar"

// TestMistakes compares the error messages for cells with typical mistakes of beginners
// with a table: N.cell is the cell, N.compiler the compiler's message for the same text in a
// program, N.ours the message of the kernel. With -update it writes the last two. N.before is a
// correct cell that is executed before.
func TestMistakes(t *testing.T) {
	table, err := txtar.ParseFile(mistakesFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range table.Files {
		want[f.Name] = string(f.Data)
	}
	got := &txtar.Archive{Comment: table.Comment}
	before, cells := "", 0
	for _, f := range table.Files {
		base, kind, _ := strings.Cut(f.Name, ".")
		switch kind {
		case "before":
			before = string(f.Data)
			got.Files = append(got.Files, f)
			continue
		case "cell":
		default:
			continue
		}
		cells++
		src := string(f.Data)
		compiler := want[base+".compiler"]
		if *update {
			compiler = compilerSays(t, before, src)
		}
		ours := notebookSays(t, before, src)
		before = ""
		if !*update && ours != want[base+".ours"] {
			t.Errorf("%s: %s\ngot\n%s\nwant\n%s", base, src, ours, want[base+".ours"])
		}
		got.Files = append(got.Files, f,
			txtar.File{Name: base + ".compiler", Data: []byte(compiler)}, txtar.File{Name: base + ".ours", Data: []byte(ours)})
	}
	if cells < 60 {
		t.Errorf("the table has %d mistakes", cells)
	}
	if *update {
		if err := os.WriteFile(mistakesFile, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// notebookSays builds and commits the cell before, and returns the error message for src.
func notebookSays(t *testing.T, before, src string) string {
	t.Helper()
	p := newProgram(t)
	n := 1
	if before != "" {
		u, err := buildText(t.Context(), p, n, before)
		if err != nil {
			t.Fatalf("%s: %v", before, err)
		}
		p.Commit(u)
		n++
	}
	_, err := buildText(t.Context(), p, n, src)
	var errs cell.Errors
	switch {
	case err == nil:
		return "it is right\n"
	case errors.As(err, &errs):
		return errs.Render() + "\n"
	}
	return err.Error() + "\n"
}

var packageName = regexp.MustCompile(`\b(fmt|strings|strconv|math|os|time|errors|sort|slices)\.`)

// compilerSays returns the compiler's messages for the text as a program.
func compilerSays(t *testing.T, before, src string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("package main\n")
	if !strings.HasPrefix(src, "import") {
		imports := map[string]bool{}
		for _, m := range packageName.FindAllStringSubmatch(before+src, -1) {
			imports[m[1]] = true
		}
		for name := range imports {
			b.WriteString("import \"" + name + "\"; ")
		}
	}
	if strings.HasPrefix(src, "import") || strings.HasPrefix(src, "func ") || strings.HasPrefix(src, "type ") {
		b.WriteString("\n" + before + "//line cell:1:1\n" + src)
	} else {
		b.WriteString("\nfunc main() {\n" + before + "//line cell:1:1\n" + src + "}\n")
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "cell.go")
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	std := programtest.NewStd(t)
	cfg, err := std.Importcfg(nil)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command(std.Compile, "-p", "main", "-importcfg", cfg, "-o", filepath.Join(dir, "cell.o"), name).CombinedOutput()
	var lines []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); !strings.Contains(line, "imported and not used") && !strings.HasPrefix(line, "too many errors") {
			lines = append(lines, strings.Replace(line, name+":", "", 1))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
