package modules

import (
	"cmp"
	"maps"
	"slices"
)

// A notebook uses one module or workspace at a time, so that its packages have consistent versions. This is the module
// of the notebook's folder, or of the folder of a %cd before the first import of a package that the image does not
// have.

// SetFolder sets the folder in which cells run. From now on the notebook uses the module of that folder, unless it
// already uses packages of another module. In that case errors of Archive say how to switch.
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

// otherModule returns the folder of the current folder's module or workspace, if it is not the one in use and may have
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

// SwitchModule switches to the module that an error of Archive has named. It returns false if there was no such
// error. Call it only when the worker process is replaced.
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
