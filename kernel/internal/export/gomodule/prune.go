package gomodule

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Prune removes requirements and packages of the library that the program does not use.
func (m *Module) Prune() error {
	list, err := m.list("-test", ".")
	if err != nil {
		return err
	}
	used := map[string]bool{}
	kept := map[string]bool{}
	imported := map[string]bool{} // packages that the program itself imports
	for _, p := range list {
		if p.Module != nil && p.Module.Main {
			for _, path := range p.Imports {
				imported[path] = true
			}
		}
	}
	direct := map[string]bool{} // their modules
	for _, p := range list {
		if p.Module == nil || p.Module.Main {
			continue
		}
		direct[p.Module.Path] = direct[p.Module.Path] || imported[p.ImportPath]
		used[p.Module.Path] = true
		if p.Module.Path == LibraryModule {
			kept[p.Dir] = true
		}
	}
	text, err := os.ReadFile(filepath.Join(m.Dir, "go.mod"))
	if err != nil {
		return err
	}
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	var require []*modfile.Require
	for _, r := range f.Require {
		if used[r.Mod.Path] {
			require = append(require, &modfile.Require{Mod: r.Mod, Indirect: !direct[r.Mod.Path]})
		}
	}
	f.SetRequireSeparateIndirect(require)
	for _, r := range slices.Clone(f.Replace) {
		if !used[r.Old.Path] {
			err = errors.Join(err, f.DropReplace(r.Old.Path, r.Old.Version))
		}
	}
	f.Cleanup()
	f.SortBlocks()
	if text, formatErr := f.Format(); formatErr == nil {
		err = errors.Join(err, WriteFile(filepath.Join(m.Dir, "go.mod"), text))
	}
	return errors.Join(err, m.pruneLibrary(kept), m.pruneSums())
}

func (m *Module) pruneLibrary(kept map[string]bool) error {
	root := filepath.Join(m.Dir, LibraryDir)
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
func (m *Module) pruneSums() error {
	out, err := m.Run([]string{"GOFLAGS=-mod=mod"}, "list", "-m", "-f", "{{.Path}}", "all")
	if err != nil {
		return nil // the graph needs modules that are not here; the lines do no harm
	}
	in := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		in[strings.TrimSpace(line)] = true
	}
	text, err := os.ReadFile(filepath.Join(m.Dir, "go.sum"))
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
		return os.Remove(filepath.Join(m.Dir, "go.sum"))
	}
	return WriteFile(filepath.Join(m.Dir, "go.sum"), []byte(keep.String()))
}

// Relocate makes the paths of replaced modules relative to the folder in which the module will be.
func (m *Module) Relocate() error {
	name := filepath.Join(m.Dir, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	for _, r := range slices.Clone(f.Replace) {
		if filepath.IsAbs(r.New.Path) {
			err = errors.Join(err, f.AddReplace(r.Old.Path, r.Old.Version, m.relative(r.New.Path), ""))
		}
	}
	text, formatErr := f.Format()
	return errors.Join(err, formatErr, WriteFile(name, text))
}

// relative returns the path of a folder from the folder in which the module will be.
func (m *Module) relative(folder string) string {
	rel, err := filepath.Rel(m.opt.Target, folder)
	if err != nil {
		return folder
	}
	if !strings.HasPrefix(rel, "..") {
		rel = "./" + rel
	}
	return filepath.ToSlash(rel)
}
