package modules

import (
	"cmp"
	"maps"
	"slices"
)

// A notebook uses one module or workspace at a time, so that all packages are of the same versions: that of its folder,
// or that of the folder of a %cd which preceded the first import of a package that the image does not have.

// SetFolder sets the folder that cells run in. The notebook uses the module of that folder if it does not use packages
// of another module yet; else the errors of Archive say how to switch.
func (m *Modules) SetFolder(dir string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.currentDir = dir
	if m.dir == "" {
		m.notebookDir = dir
	}
	found := findModule(dir)
	if found == "" || len(m.roots) > 0 || m.isScratch && len(readModule(m.dir).requires) > 0 {
		return
	}
	m.notebookDir, m.dir, m.isScratch = dir, found, false
}

// currentFolder returns the folder of the last %cd, or else the notebook's.
func (m *Modules) currentFolder() string { return cmp.Or(m.currentDir, m.notebookDir) }

// otherModule returns the folder of the module or workspace of the current folder, if it is not the one in use and has
// the package; else "".
func (m *Modules) otherModule(path string) string {
	if m.currentFolder() == "" {
		return ""
	}
	found := findModule(m.currentFolder())
	if found == "" || found == m.dir || !slices.ContainsFunc(readModules(found), func(f moduleFile) bool { return f.isOwn(path) }) {
		return ""
	}
	return found
}

// SwitchModule switches to the module that an error of Archive has named, and reports whether there was one. It must be
// called with a new worker.
func (m *Modules) SwitchModule() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.switchTo == "" {
		return false
	}
	m.notebookDir, m.dir, m.isScratch, m.switchTo = m.currentFolder(), m.switchTo, false, ""
	m.archives, m.names = maps.Clone(m.registered), map[string]string{}
	for path := range m.registered {
		m.names[path] = ""
	}
	m.localPackages, m.roots, m.cgoRoots, m.newCgoRoots = map[string]*localPackage{}, map[string]bool{}, nil, nil
	clear(m.failed)
	return true
}
