package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// A module is the folder of the program's module while it is written.
type moduleDir struct {
	opt     Options
	dir     string
	ctx     context.Context
	files   map[string]string // export data of packages, by import path
	cgo     map[string]bool   // packages with C code
	dynamic map[string]bool   // names of methods that packages look for
}

// libraryDir is the folder of the module with the copy of this project's library.
const libraryDir = "perijove"

// newModule writes the first go.mod: it requires what the notebook's module requires, and the packages that each notebook can import.
func newModule(ctx context.Context, opt Options, dir string) (*moduleDir, error) {
	m := &moduleDir{opt: opt, dir: dir, ctx: ctx, files: map[string]string{}, cgo: map[string]bool{}}
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
	err = errors.Join(err, f.AddRequire(libraryModule, "v"+opt.Version), f.AddReplace(libraryModule, "", "./"+libraryDir, ""))
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
func (m *moduleDir) addNotebookModule(f *modfile.File, sums map[string]bool) error {
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

func (m *moduleDir) addModuleIn(f *modfile.File, folder string, sums map[string]bool) error {
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
			target = m.relative(filepath.Join(folder, target))
		}
		err = errors.Join(err, f.AddReplace(r.Old.Path, r.Old.Version, target, r.New.Version))
	}
	if own.Module != nil && own.Module.Mod.Path != libraryModule {
		path := own.Module.Mod.Path
		err = errors.Join(err, f.AddRequire(path, module.ZeroPseudoVersion("v0")), f.AddReplace(path, "", m.relative(folder), ""))
	}
	if sum, readErr := os.ReadFile(filepath.Join(folder, "go.sum")); readErr == nil {
		addSums(sums, sum)
	}
	return err
}

// relative returns the path of a folder from the folder in which the module will be.
func (m *moduleDir) relative(folder string) string {
	rel, err := filepath.Rel(m.opt.Target, folder)
	if err != nil {
		return folder
	}
	if !strings.HasPrefix(rel, "..") {
		rel = "./" + rel
	}
	return filepath.ToSlash(rel)
}

// findUp returns the nearest folder, from dir upwards, with a file.
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
func (m *moduleDir) copyLibrary() error {
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
		return writeFile(filepath.Join(m.dir, libraryDir, name), text)
	})
}

func writeFile(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

func (m *moduleDir) writeModule(f *modfile.File, sums map[string]bool) error {
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
	return errors.Join(writeFile(filepath.Join(m.dir, "go.mod"), text), writeFile(filepath.Join(m.dir, "go.sum"), []byte(sum)))
}

// run runs the go command in the module.
func (m *moduleDir) run(env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(m.ctx, m.opt.Go, args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+m.dir)
	cmd.Env = append(cmd.Env, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(errs.String())
		if text == "" {
			text = err.Error()
		}
		return nil, fmt.Errorf("go %s: %s", args[0], text)
	}
	return out.Bytes(), nil
}

// A listed is a package that go list has listed.
type listed struct {
	ImportPath, Export, Dir string
	Standard                bool
	CgoFiles, GoFiles       []string
	Module                  *struct {
		Path, Version string
		Main          bool
	}
}

func (m *moduleDir) list(args ...string) ([]listed, error) {
	out, err := m.run([]string{"GOFLAGS=-mod=mod"}, append([]string{"list", "-e", "-deps", "-json=ImportPath,Export,Dir,Standard,CgoFiles,GoFiles,Module"}, args...)...)
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

// fetch compiles packages and their dependencies, so that Archive has their export data.
func (m *moduleDir) fetch(paths []string) error {
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
		if len(p.CgoFiles) > 0 && !p.Standard {
			m.cgo[p.ImportPath] = true
		}
	}
	return nil
}

// Archive implements exportdata.Archives.
func (m *moduleDir) Archive(path string) (string, error) {
	if m.files[path] == "" {
		if err := m.fetch([]string{path}); err != nil {
			return "", err
		}
	}
	if m.files[path] == "" {
		return "", fmt.Errorf("package %s is not available: add its module with %%get, or to the go.mod of the notebook's folder", path)
	}
	return m.files[path], nil
}

// get adds modules that the notebook gets.
func (m *moduleDir) get(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	_, err := m.run([]string{"GOFLAGS=-mod=mod"}, append([]string{"get", "--"}, paths...)...)
	return err
}

// prune removes requirements and packages of the library that the program does not use.
func (m *moduleDir) prune() error {
	list, err := m.list("-test", ".")
	if err != nil {
		return err
	}
	used := map[string]bool{}
	kept := map[string]bool{}
	for _, p := range list {
		if p.Module == nil || p.Module.Main {
			continue
		}
		used[p.Module.Path] = true
		if p.Module.Path == libraryModule {
			kept[p.Dir] = true
		}
	}
	text, err := os.ReadFile(filepath.Join(m.dir, "go.mod"))
	if err != nil {
		return err
	}
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	for _, r := range slices.Clone(f.Require) {
		if !used[r.Mod.Path] {
			err = errors.Join(err, f.DropRequire(r.Mod.Path))
		}
	}
	for _, r := range slices.Clone(f.Replace) {
		if !used[r.Old.Path] {
			err = errors.Join(err, f.DropReplace(r.Old.Path, r.Old.Version))
		}
	}
	f.Cleanup()
	f.SortBlocks()
	if text, formatErr := f.Format(); formatErr == nil {
		err = errors.Join(err, writeFile(filepath.Join(m.dir, "go.mod"), text))
	}
	return errors.Join(err, m.pruneLibrary(kept), m.pruneSums())
}

func (m *moduleDir) pruneLibrary(kept map[string]bool) error {
	root := filepath.Join(m.dir, libraryDir)
	if len(kept) == 0 {
		return os.RemoveAll(root)
	}
	needed := map[string]bool{root: true}
	for dir := range kept {
		for up := dir; strings.HasPrefix(up, root); up = filepath.Dir(up) {
			needed[up] = true
		}
	}
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && !needed[name]:
			if d.Name() == "fonts" { // embedded files are below a package
				return nil
			}
			if err := os.RemoveAll(name); err != nil {
				return err
			}
			return fs.SkipDir
		case !d.IsDir() && !kept[filepath.Dir(name)] && filepath.Dir(name) != root:
			return os.Remove(name)
		}
		return nil
	})
}

// pruneSums removes the lines of go.sum for modules that are not in the module graph.
func (m *moduleDir) pruneSums() error {
	out, err := m.run([]string{"GOFLAGS=-mod=mod"}, "list", "-m", "-f", "{{.Path}}", "all")
	if err != nil {
		return nil // the graph needs modules that are not here; the lines do no harm
	}
	in := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		in[strings.TrimSpace(line)] = true
	}
	text, err := os.ReadFile(filepath.Join(m.dir, "go.sum"))
	if err != nil {
		return err
	}
	var keep strings.Builder
	for line := range strings.Lines(string(text)) {
		if path, _, _ := strings.Cut(line, " "); in[path] {
			keep.WriteString(line)
		}
	}
	if keep.Len() == 0 {
		return os.Remove(filepath.Join(m.dir, "go.sum"))
	}
	return writeFile(filepath.Join(m.dir, "go.sum"), []byte(keep.String()))
}
