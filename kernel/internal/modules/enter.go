package modules

import (
	"cmp"
	"maps"
	"slices"
)

// A notebook uses one module or workspace at a time: that of its folder, or the one that %cd has gone into before any
// package was imported that is not the image's. Packages of two would be of different versions.

// Enter notes that cells run in a folder from now on. The notebook uses the module there if it has no packages of
// another yet; else Archive tells of it.
func (m *Modules) Enter(dir string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entered = dir
	if m.dir == "" {
		m.from = dir
	}
	found := findModule(dir)
	if found == "" || len(m.roots) > 0 || m.own && len(readModule(m.dir).requires) > 0 {
		return
	}
	m.from, m.dir, m.own = dir, found, false
}

// currentFolder is where the notebook's module would be looked for now: the folder that %cd has gone into, or its own.
func (m *Modules) currentFolder() string { return cmp.Or(m.entered, m.from) }

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

// Restart goes over to another module, if Archive has told that it would, and reports whether it has. The worker must be
// a new one.
func (m *Modules) Restart() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wanted == "" {
		return false
	}
	m.from, m.dir, m.own, m.wanted = m.currentFolder(), m.wanted, false, ""
	m.archives, m.names = maps.Clone(m.given), map[string]string{}
	for path := range m.given {
		m.names[path] = ""
	}
	m.folders, m.roots, m.cRoots, m.found = map[string]*folder{}, map[string]bool{}, nil, nil
	clear(m.failed)
	return true
}
