package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/export/gomodule"
	"github.com/perijove/perijove/kernel/internal/export/translate"
	"github.com/perijove/perijove/kernel/internal/notebook"
)

// Options configure an export.
type Options struct {
	translate.Options
	Target  string // the folder of the program
	Go      string // path of the go command
	Library fs.FS  // the files of this project's module
	Version string // version of this project's module
	Release string // release of the Go toolchain, for a worker program
	Worker  bool   // write a program that runs tasks that call the notebook's functions
}

func (o Options) module() gomodule.Config {
	return gomodule.Config{Name: o.Name, Dir: o.Dir, Target: o.Target, Go: o.Go, Library: o.Library, Version: o.Version}
}

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
	files, err := translate.Program(m, opt.Options, nb)
	if err == nil && opt.Worker {
		files, err = workerFiles(m, opt, files)
	}
	if err != nil {
		return err
	}
	return finish(m, opt, files)
}

// An Exporter translates several notebooks in one folder, which share a module. It is faster than a call of Program
// for each notebook.
type Exporter struct {
	module *gomodule.Module
	opt    Options
}

// NewExporter returns an Exporter that writes its module to the folder opt.Target.
func NewExporter(ctx context.Context, opt Options) (*Exporter, error) {
	m, err := gomodule.New(ctx, opt.module(), opt.Target)
	return &Exporter{m, opt}, err
}

// Files returns the Go files of a notebook's program, and its embedded files, by name.
func (e *Exporter) Files(nb *notebook.Notebook) (map[string][]byte, error) {
	return translate.Program(e.module, e.opt.Options, nb)
}

// finish writes the files, and moves them to the target folder.
func finish(m *gomodule.Module, opt Options, files map[string][]byte) error {
	for name, text := range files {
		if err := gomodule.WriteFile(filepath.Join(m.Dir, name), text); err != nil {
			return err
		}
	}
	if err := m.Prune(); err != nil {
		return err
	}
	if _, err := m.Run(nil, "build", "-o", os.DevNull, "."); err != nil {
		return fmt.Errorf("the program does not compile; this is a bug in Perijove, not in the notebook; please report it: %w", err)
	}
	if err := m.Relocate(); err != nil {
		return err
	}
	return install(m, opt)
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
	return fmt.Errorf("cannot export to the folder %s, which is not empty: choose a new folder, or the folder of an earlier export", dir)
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
