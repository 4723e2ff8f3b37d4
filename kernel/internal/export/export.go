package export

import (
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/gomodule"
	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// Options configure an export.
type Options struct {
	Name    string // of the module and the program
	Source  string // the notebook's file name, for comments
	Dir     string // the notebook's folder
	Target  string // the folder of the program
	Go      string // path of the go command
	GOROOT  string
	Library fs.FS  // the files of this project's module
	Version string // of this project's module
	Stored  bool   // name the cells by their stored execution counts in errors, and not by those of a run
	Force   bool   // keep directives without a meaning in a program as comments
}

func (o Options) module() gomodule.Config {
	return gomodule.Config{Name: o.Name, Dir: o.Dir, Target: o.Target, Go: o.Go, Library: o.Library, Version: o.Version}
}

// maxChecks is the maximum number of times that the program is written. Each check after the first finds less.
const maxChecks = 12

// Program writes a notebook as a Go module in the folder opt.Target, which must be empty, missing, or the result of an
// earlier export. The error is a cell.Errors if cells cannot be exported.
func Program(ctx context.Context, nb *notebook.Notebook, opt Options) error {
	if err := checkTarget(opt.Target); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "perijove-export-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m, err := gomodule.New(ctx, opt.module(), dir)
	if err != nil {
		return err
	}
	b, err := program(m, opt, nb)
	if err != nil {
		return err
	}
	return finish(m, b)
}

// program translates a notebook. It leaves out cells that may fail and cannot be compiled: they do nothing.
func program(m *gomodule.Module, opt Options, nb *notebook.Notebook) (*book, error) {
	skip := map[int]bool{}
	for {
		b, err := translate(m, opt, nb, skip)
		if err != nil {
			return nil, err
		}
		failed := b.expectedFailures()
		switch {
		case len(b.errs) == 0:
			return b, nil
		case len(failed) == 0:
			return nil, b.errs.Sorted()
		}
		for _, n := range failed {
			skip[n] = true
		}
	}
}

// An Exporter translates several notebooks that are in one folder, and share a module. It is faster than Program for each.
type Exporter struct {
	module *gomodule.Module
	opt    Options
}

// NewExporter returns an Exporter that writes its module to the folder opt.Target.
func NewExporter(ctx context.Context, opt Options) (*Exporter, error) {
	m, err := gomodule.New(ctx, opt.module(), opt.Target)
	return &Exporter{m, opt}, err
}

// Files returns the Go files of a notebook's program by name.
func (e *Exporter) Files(nb *notebook.Notebook) (map[string][]byte, error) {
	b, err := program(e.module, e.opt, nb)
	if err != nil {
		return nil, err
	}
	return b.files()
}

// expectedFailures returns the cells with errors if all of them may fail. Such a cell does nothing.
func (b *book) expectedFailures() []int {
	var list []int
	for _, e := range b.errs {
		if !b.mayFail[e.Cell] {
			return nil
		}
		if !slices.Contains(list, e.Cell) {
			list = append(list, e.Cell)
		}
	}
	return list
}

// translate makes the program. Errors of cells are in book.errs.
func translate(m *gomodule.Module, opt Options, nb *notebook.Notebook, skip map[int]bool) (*book, error) {
	b := newBook(opt, exportdata.New(m, opt.GOROOT, nil))
	b.skip = skip
	b.readCells(nb)
	b.directives()
	if len(b.errs) > 0 {
		return b, nil
	}
	if err := m.Get(b.gets.paths); err != nil {
		return nil, err
	}
	if err := b.fetch(m); err != nil {
		return nil, err
	}
	b.bind()
	b.check()
	if len(b.errs) > 0 {
		return b, nil
	}
	b.classify()
	b.group()
	if err := b.infer(); err != nil {
		return nil, err
	}
	b.version()
	b.reach()
	b.checkDispatch()
	b.checkResets()
	b.checkMethods(func(name string) bool { return m.LooksFor(append(b.paths(), displayPackage), name) })
	b.divide()
	b.findParameters(nb)
	if len(b.errs) > 0 {
		return b, nil
	}
	for range maxChecks {
		b.main, b.test = b.write()
		b.checkChildren()
		if len(b.errs) > 0 {
			return b, nil
		}
		if err := b.checkProgram(); err != nil {
			return nil, err
		}
		if !b.again {
			return b, nil
		}
	}
	return nil, errors.New("export: the program does not settle; this is a fault of perijove")
}

// fetch compiles the packages that the cells use. It gets missing modules if the notebook does.
func (b *book) fetch(m *gomodule.Module) error {
	if err := m.Fetch(b.paths()); err != nil || !b.gets.missing && !b.isGoNB {
		return err
	}
	var missing []string
	for _, s := range b.steps {
		for _, im := range s.cell.Imports {
			if !m.Has(im.Path) && !strings.HasPrefix(im.Path, gonbModule) && im.Path != "unsafe" {
				missing = append(missing, im.Path)
			}
		}
	}
	return errors.Join(m.Get(missing), m.Fetch(missing))
}

// paths lists the packages that the cells may use.
func (b *book) paths() []string {
	seen := map[string]bool{"context": true, "fmt": true, "os": true}
	for _, s := range b.steps {
		for _, im := range s.cell.Imports {
			seen[im.Path] = true
		}
		note := func(refs []cell.Ref) {
			for _, r := range refs {
				if r.Sel != "" {
					for _, p := range b.pkgs.Std[r.Name] {
						seen[p] = true
					}
				}
			}
		}
		for _, d := range s.cell.Decls {
			note(d.Refs)
		}
		for _, st := range s.stmts {
			note(st.Refs)
		}
	}
	delete(seen, "unsafe")
	return sortedKeys(seen)
}

// files returns the formatted files.
func (b *book) files() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, f := range []*file{b.main, b.test} {
		if f.text.Len() == 0 {
			continue
		}
		text, _ := f.complete(b.head(f))
		formatted, err := format.Source([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("export: %s: %w", f.name, err)
		}
		out[f.name] = formatted
	}
	return out, nil
}

// finish writes the files, and moves them to the target folder.
func finish(m *gomodule.Module, b *book) error {
	files, err := b.files()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := gomodule.WriteFile(filepath.Join(m.Dir, name), text); err != nil {
			return err
		}
	}
	if err := m.Prune(); err != nil {
		return err
	}
	if _, err := m.Run(nil, "build", "-o", os.DevNull, "."); err != nil {
		return fmt.Errorf("the program does not compile, which is a fault of perijove: %w", err)
	}
	if err := m.Relocate(); err != nil {
		return err
	}
	return install(m, b.opt)
}

// head returns the comment at the beginning of a file.
func (b *book) head(f *file) string {
	if f == b.test {
		return ""
	}
	text := fmt.Sprintf("%s is the notebook %s as a program.", strings.ToUpper(b.opt.Name[:1])+b.opt.Name[1:], b.opt.Source)
	if b.title != "" {
		text += "\n\n" + b.title
	}
	return "// " + strings.ReplaceAll(text, "\n", "\n// ") + "\n"
}

// marker is the first line of the go.mod of a program that was exported.
const marker = "// Exported by perijove from "

func checkTarget(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), marker) {
		return nil
	}
	return fmt.Errorf("the folder %s is not empty: name a new folder, or that of an earlier export", dir)
}

// install copies the module to the target folder.
func install(m *gomodule.Module, opt Options) error {
	mod := filepath.Join(m.Dir, "go.mod")
	text, err := os.ReadFile(mod)
	if err != nil {
		return err
	}
	if err := gomodule.WriteFile(mod, append([]byte(marker+opt.Source+"\n\n"), text...)); err != nil {
		return err
	}
	for _, old := range []string{"main.go", "main_test.go", "go.sum", gomodule.LibraryDir} {
		if err := os.RemoveAll(filepath.Join(opt.Target, old)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(opt.Target, 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(m.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(m.Dir, name)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return gomodule.WriteFile(filepath.Join(opt.Target, rel), text)
	})
}
