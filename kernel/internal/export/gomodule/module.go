// Package gomodule makes the module of an exported program: its go.mod with the versions of the notebook, a copy of
// this project's library, and the compiled packages for the type checker.
package gomodule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// Config has the settings of a module.
type Config struct {
	Name    string // name of the module
	Dir     string // the notebook's folder
	Target  string // the folder in which the module will be
	Go      string // path of the go command
	Library fs.FS  // the files of this project's module
	Version string // version of this project's module
}

// LibraryModule is the path of this project's module.
const LibraryModule = "github.com/perijove/perijove"

// A Module is the folder of a module. It implements exportdata.Archives.
type Module struct {
	Dir string

	opt     Config
	ctx     context.Context
	files   map[string]string // export data of packages, by import path
	dynamic map[string]bool   // names of methods that packages look for
}

// LibraryDir is the folder of the module with the copy of this project's library.
const LibraryDir = "perijove"

// New writes the first go.mod of a module to a folder. It has the requirements of the notebook's module, and those of
// the packages that each notebook can import.
func New(ctx context.Context, opt Config, dir string) (*Module, error) {
	m := &Module{opt: opt, Dir: dir, ctx: ctx, files: map[string]string{}}
	f := new(modfile.File)
	sums := map[string]bool{}
	if err := f.AddModuleStmt(opt.Name); err != nil {
		return nil, err
	}
	own, err := fs.ReadFile(opt.Library, "go.mod")
	if err != nil {
		return nil, err
	}
	lib, err := modfile.Parse("go.mod", own, nil)
	if err != nil {
		return nil, err
	}
	if err := m.addNotebookModule(f, sums); err != nil {
		return nil, err
	}
	if f.Go == nil {
		err = f.AddGoStmt(lib.Go.Version)
	}
	for _, r := range lib.Require {
		if !requires(f, r.Mod.Path) {
			err = errors.Join(err, f.AddRequire(r.Mod.Path, r.Mod.Version))
		}
	}
	err = errors.Join(err, f.AddRequire(LibraryModule, "v"+opt.Version), f.AddReplace(LibraryModule, "", "./"+LibraryDir, ""))
	if sum, readErr := fs.ReadFile(opt.Library, "go.sum"); readErr == nil {
		addSums(sums, sum)
	}
	err = errors.Join(err, m.copyLibrary(), m.writeModule(f, sums))
	return m, err
}

func requires(f *modfile.File, path string) bool {
	return slices.ContainsFunc(f.Require, func(r *modfile.Require) bool { return r.Mod.Path == path })
}

func addSums(sums map[string]bool, text []byte) {
	for line := range strings.Lines(string(text)) {
		sums[strings.TrimSpace(line)] = true
	}
}

// addNotebookModule adds the requirements of the module or workspace that contains the notebook.
func (m *Module) addNotebookModule(f *modfile.File, sums map[string]bool) error {
	root := findUp(m.opt.Dir, "go.work")
	var folders []string
	if root != "" {
		text, err := os.ReadFile(filepath.Join(root, "go.work"))
		if err != nil {
			return err
		}
		work, err := modfile.ParseWork("go.work", text, nil)
		if err != nil {
			return err
		}
		for _, u := range work.Use {
			folder := filepath.FromSlash(u.Path)
			if !filepath.IsAbs(folder) {
				folder = filepath.Join(root, folder)
			}
			folders = append(folders, folder)
		}
		if sum, err := os.ReadFile(filepath.Join(root, "go.work.sum")); err == nil {
			addSums(sums, sum)
		}
	} else if dir := findUp(m.opt.Dir, "go.mod"); dir != "" {
		folders = []string{dir}
	}
	for _, folder := range folders {
		if err := m.addModuleIn(f, folder, sums); err != nil {
			return err
		}
	}
	return nil
}

func (m *Module) addModuleIn(f *modfile.File, folder string, sums map[string]bool) error {
	text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return err
	}
	own, err := modfile.Parse(filepath.Join(folder, "go.mod"), text, nil)
	if err != nil {
		return err
	}
	if own.Go != nil && f.Go == nil {
		err = f.AddGoStmt(own.Go.Version)
	}
	for _, r := range own.Require {
		if !requires(f, r.Mod.Path) {
			err = errors.Join(err, f.AddRequire(r.Mod.Path, r.Mod.Version))
		}
	}
	for _, r := range own.Replace {
		target := r.New.Path
		if r.New.Version == "" && !filepath.IsAbs(target) {
			target = filepath.Join(folder, target)
		}
		err = errors.Join(err, f.AddReplace(r.Old.Path, r.Old.Version, target, r.New.Version))
	}
	if own.Module != nil && own.Module.Mod.Path != LibraryModule {
		path := own.Module.Mod.Path
		err = errors.Join(err, f.AddRequire(path, module.ZeroPseudoVersion("v0")), f.AddReplace(path, "", folder, ""))
	}
	if sum, readErr := os.ReadFile(filepath.Join(folder, "go.sum")); readErr == nil {
		addSums(sums, sum)
	}
	return err
}

// findUp returns dir or its nearest parent that contains the file name, or "".
func findUp(dir, name string) string {
	for {
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// copyLibrary writes the packages of the library that notebooks can import.
func (m *Module) copyLibrary() error {
	return fs.WalkDir(m.opt.Library, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "testdata" || name == "kernel" {
				return fs.SkipDir
			}
			return nil
		}
		isGo := (strings.HasPrefix(name, "lib/") || strings.HasPrefix(name, "internal/")) && !strings.HasSuffix(name, "_test.go")
		if !isGo && name != "go.mod" && name != "go.sum" {
			return nil
		}
		text, err := fs.ReadFile(m.opt.Library, name)
		if err != nil {
			return err
		}
		return WriteFile(filepath.Join(m.Dir, LibraryDir, name), text)
	})
}

// WriteFile writes a file, and makes its folder if there is none.
func WriteFile(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

func (m *Module) writeModule(f *modfile.File, sums map[string]bool) error {
	f.Cleanup()
	f.SortBlocks()
	text, err := f.Format()
	if err != nil {
		return err
	}
	delete(sums, "")
	sum := strings.Join(sortedKeys(sums), "\n")
	if sum != "" {
		sum += "\n"
	}
	return errors.Join(WriteFile(filepath.Join(m.Dir, "go.mod"), text), WriteFile(filepath.Join(m.Dir, "go.sum"), []byte(sum)))
}

// Run runs the go command in the module's folder and returns its standard output. env is added to the environment.
func (m *Module) Run(env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(m.ctx, m.opt.Go, args...)
	cmd.Dir = m.Dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+m.Dir)
	cmd.Env = append(cmd.Env, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(errs.String())
		if text == "" {
			text = err.Error()
		}
		return nil, fmt.Errorf("the command go %s failed: %s", args[0], text)
	}
	return out.Bytes(), nil
}

// A listed is a package that go list has listed.
type listed struct {
	ImportPath, Export, Dir string
	Standard                bool
	CgoFiles, GoFiles       []string
	Imports                 []string
	Module                  *struct {
		Path, Version string
		Main          bool
	}
}

func (m *Module) list(args ...string) ([]listed, error) {
	out, err := m.Run([]string{"GOFLAGS=-mod=mod"}, append([]string{"list", "-e", "-deps", "-json=ImportPath,Export,Dir,Standard,CgoFiles,GoFiles,Imports,Module"}, args...)...)
	if err != nil {
		return nil, err
	}
	var list []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// Fetch compiles packages and their dependencies, so that Archive has their export data.
func (m *Module) Fetch(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	list, err := m.list(append([]string{"-export", "--"}, paths...)...)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Export != "" {
			m.files[p.ImportPath] = p.Export
		}
	}
	return nil
}

// Has reports whether a package is compiled.
func (m *Module) Has(path string) bool { return m.files[path] != "" }

// Archive implements exportdata.Archives.
func (m *Module) Archive(path string) (string, error) {
	if m.files[path] == "" {
		if err := m.Fetch([]string{path}); err != nil {
			return "", err
		}
	}
	if m.files[path] == "" {
		return "", fmt.Errorf("package %s is not available: add its module with %%get, or write it into the go.mod of the notebook's folder", path)
	}
	return m.files[path], nil
}

// Get runs go get for paths in the module's folder. It does nothing if there are no paths.
func (m *Module) Get(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	_, err := m.Run([]string{"GOFLAGS=-mod=mod"}, append([]string{"get", "--"}, paths...)...)
	return err
}

// Open returns the module in the folder dir, which New has written.
func Open(ctx context.Context, opt Config, dir string) *Module {
	return &Module{opt: opt, Dir: dir, ctx: ctx, files: map[string]string{}}
}

// WithC lists the packages outside the standard library that contain C code.
func (m *Module) WithC() ([]string, error) {
	list, err := m.list(".")
	var with []string
	for _, p := range list {
		if !p.Standard && len(p.CgoFiles) > 0 {
			with = append(with, p.ImportPath)
		}
	}
	return with, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
