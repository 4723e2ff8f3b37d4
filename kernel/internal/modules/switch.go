package modules

import (
	"cmp"
	"maps"
	"slices"
)

// A notebook uses one module or workspace at a time: that of its folder, or the one that %cd has gone into before any
// package was imported that is not the image's. Packages of two would be of different versions.

// SetFolder notes that cells run in a folder from now on. The notebook uses the module there if it has no packages of
// another yet; else Archive tells of it.
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

// currentFolder is where the notebook's module would be looked for now: the folder that %cd has gone into, or its own.
func (m *Modules) currentFolder() string { return cmp.Or(m.currentDir, m.notebookDir) }

// otherModule returns the folder of the module or workspace that %cd has gone into, or that was made beside the notebook
// meanwhile, if that is not the one in use and has the package.
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

// SwitchModule goes over to another module, if Archive has told that it would, and reports whether it has. The worker must be
// a new one.
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
