package modules

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// A moduleFile has the parts of a go.mod that this package uses.
type moduleFile struct {
	path     string            // path of the module
	requires map[string]string // versions by module path
	indirect map[string]bool   // the modules of requires that are marked "// indirect"
	replaces []string          // module paths
}

// readModule reads the go.mod of a folder. If it cannot be read or is malformed, the result is empty.
func readModule(dir string) moduleFile {
	m := moduleFile{requires: map[string]string{}, indirect: map[string]bool{}}
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return m
	}
	f, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		f, err = modfile.ParseLax("go.mod", b, nil) // ignores directives of newer go commands
	}
	if err != nil {
		return m
	}
	if f.Module != nil {
		m.path = f.Module.Mod.Path
	}
	for _, r := range f.Require {
		m.requires[r.Mod.Path] = r.Mod.Version
		m.indirect[r.Mod.Path] = r.Indirect
	}
	for _, r := range f.Replace {
		m.replaces = append(m.replaces, r.Old.Path)
	}
	return m
}

// readModules reads the go.mod of a folder, or those of the workspace in it.
func readModules(dir string) []moduleFile {
	b, err := os.ReadFile(filepath.Join(dir, "go.work"))
	if err != nil {
		return []moduleFile{readModule(dir)}
	}
	f, err := modfile.ParseWork("go.work", b, nil)
	if err != nil {
		return nil
	}
	var list []moduleFile
	workspace := moduleFile{}
	for _, r := range f.Replace {
		workspace.replaces = append(workspace.replaces, r.Old.Path)
	}
	for _, u := range f.Use {
		folder := filepath.FromSlash(u.Path)
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		list = append(list, readModule(folder))
	}
	return append(list, workspace)
}

// contains reports whether a module with this path may have a package.
func contains(module, pkg string) bool {
	return module != "" && (pkg == module || strings.HasPrefix(pkg, module+"/"))
}

// isOwn reports whether a package may be one of the module itself.
func (f moduleFile) isOwn(pkg string) bool { return contains(f.path, pkg) }

// requiresFor reports whether the file requires a module that may have a package.
func (f moduleFile) requiresFor(pkg string) bool {
	for path := range f.requires {
		if contains(path, pkg) {
			return true
		}
	}
	return false
}

// replacesFor reports whether the file replaces a module that may have a package.
func (f moduleFile) replacesFor(pkg string) bool {
	for _, path := range f.replaces {
		if contains(path, pkg) {
			return true
		}
	}
	return false
}
