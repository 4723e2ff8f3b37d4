package export

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/exporttest"
	"github.com/perijove/perijove/kernel/internal/export/gomodule"
	"github.com/perijove/perijove/kernel/internal/export/translate"
	"github.com/perijove/perijove/kernel/internal/image"
)

var update = flag.Bool("update", false, "rewrite the expected programs, outputs and errors")

// TestPrograms exports the notebooks of testdata. Each file has cells, and the program with its output, or the errors.
func TestPrograms(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	dir := t.TempDir()
	exporter, goPath := newTestExporter(t, dir)
	archives := map[string]*txtar.Archive{}
	var programs []string
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		archives[file] = a
		exporter.opt.Force = strings.Contains(string(a.Comment), "force")
		nb, err := exporttest.Notebook(a)
		if err != nil {
			t.Fatal(err)
		}
		exporter.opt.Dir = t.TempDir()
		if err := exporttest.WriteFiles(a, exporter.opt.Dir); err != nil {
			t.Fatal(err)
		}
		sources, err := exporter.Files(nb)
		var cells cell.Errors
		if err != nil && !errors.As(err, &cells) {
			t.Errorf("%s: %v", file, err)
			continue
		}
		expect(t, a, file, "error", []byte(errorText(cells)))
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		for source, text := range sources {
			if filepath.Ext(source) == ".go" {
				expect(t, a, file, source, text)
			}
			if err := gomodule.WriteFile(filepath.Join(dir, name, source), text); err != nil {
				t.Fatal(err)
			}
		}
		if sources["main.go"] != nil {
			programs = append(programs, file)
		}
	}
	command(t, dir, goPath, "vet", "./...")
	command(t, dir, goPath, "test", "./...")
	command(t, dir, goPath, "build", "-o", "bin/", "./...")
	for _, file := range programs {
		out := command(t, dir, filepath.Join(dir, "bin", strings.TrimSuffix(filepath.Base(file), ".txtar")))
		expect(t, archives[file], file, "output", out)
	}
	for file, a := range archives {
		if *update {
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func errorText(errs cell.Errors) string {
	if len(errs) == 0 {
		return ""
	}
	return errs.Error() + "\n"
}

// expect compares a text with a file of an archive, or sets it.
func expect(t *testing.T, a *txtar.Archive, archive, name string, got []byte) {
	t.Helper()
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name })
	if *update {
		if i >= 0 {
			a.Files = slices.Delete(a.Files, i, i+1)
		}
		if len(got) > 0 {
			a.Files = append(a.Files, txtar.File{Name: name, Data: got})
		}
		return
	}
	want := []byte{}
	if i >= 0 {
		want = a.Files[i].Data
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %s is\n%s\nwant\n%s", archive, name, got, want)
	}
}

func newTestExporter(t *testing.T, dir string) (*Exporter, string) {
	goPath, err := image.FindGo()
	if err != nil {
		t.Fatal(err)
	}
	tc, err := image.ToolchainOf(t.Context(), goPath)
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewExporter(t.Context(), Options{
		Options: translate.Options{Name: "programs", Source: "test.ipynb", Dir: t.TempDir(), GOROOT: tc.Root},
		Target:  dir, Go: goPath, Library: perijove.Source, Version: "0.0.1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, goPath
}

func command(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(&out, "%v\n", err)
		if len(args) > 0 {
			t.Errorf("%s %s: %v\n%s%s", filepath.Base(name), args[0], err, errs.String(), out.String())
		}
	}
	return out.Bytes()
}

// TestModule: the go.mod of a program has the requirements of the notebook, and marks those that the program does not import itself.
func TestModule(t *testing.T) {
	dir := t.TempDir()
	exporter, goPath := newTestExporter(t, dir)
	nb, err := exporttest.Notebook(txtar.Parse([]byte("-- cell --\nimport \"gonum.org/v1/plot/vg\"\nvg.Inch\n")))
	if err != nil {
		t.Fatal(err)
	}
	opt := exporter.opt
	opt.Target = filepath.Join(dir, "program")
	if err := Program(t.Context(), nb, opt); err != nil {
		t.Fatal(err)
	}
	out := command(t, opt.Target, goPath, "list", "-m", "-f", "{{.Path}} {{.Indirect}}", "gonum.org/v1/plot", "golang.org/x/image")
	if want := "gonum.org/v1/plot false\ngolang.org/x/image true\n"; string(out) != want {
		t.Errorf("the modules are\n%s\nwant\n%s", out, want)
	}
}

// TestNotice: the export tells which types have other names in the program.
func TestNotice(t *testing.T) {
	exporter, _ := newTestExporter(t, t.TempDir())
	nb, err := exporttest.Notebook(txtar.Parse([]byte("-- cell --\ntype T struct{ X int }\ntype A = int\nfmt.Println(T{1}, A(2))\n" +
		"-- cell --\ntype T struct{ Y int }\ntype A = string\nfmt.Printf(\"%T\", T{2})\n")))
	if err != nil {
		t.Fatal(err)
	}
	var notices []string
	exporter.opt.Notice = func(e *cell.Error) { notices = append(notices, e.Error()) }
	if _, err := exporter.Files(nb); err != nil {
		t.Fatal(err)
	}
	want := "Cell [2] line 1:6: the name of the type T is T2 in the program, and %T, %#v and displays of its values show that: give the type another name"
	if len(notices) != 1 || notices[0] != want {
		t.Errorf("the notices are %q, want only %q", notices, want)
	}
}
