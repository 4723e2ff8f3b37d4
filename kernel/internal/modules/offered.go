package modules

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// An offer holds the names of the packages in the notebook's module and in the modules that it requires itself, by
// import path. Unlike other answers of the go command, it is for an editor: it may be older than the module files, and
// it lacks modules that are not downloaded.
type offer struct {
	mu      sync.Mutex
	state   string // hash of the module files that were listed
	listing bool
	names   map[string]string
}

// offered returns the names that the go command has listed last. If the module files have changed since, offered starts
// the go command and does not wait for it. The caller holds m.mu.
func (m *Modules) offered() map[string]string {
	o := &m.offer
	o.mu.Lock()
	defer o.mu.Unlock()
	if m.dir == "" {
		return nil
	}
	if state := m.dir + m.hashModuleFiles(); state != o.state && !o.listing {
		o.state, o.listing = state, true
		own := &Modules{img: m.img, dir: m.dir, isScratch: m.isScratch, env: append(slices.Clip(m.env), "GOPROXY=off")}
		go o.list(own)
	}
	return o.names
}

// list sets the names with the go command. No other goroutine may use m.
func (o *offer) list(m *Modules) {
	args := []string{"-e", "-find"}
	for _, f := range readModules(m.dir) {
		if f.path != "" {
			args = append(args, f.path+"/...")
		}
		for path := range f.requires {
			if m.isScratch || !f.indirect[path] { // the go command marks all that %get adds as indirect
				args = append(args, path+"/...")
			}
		}
	}
	var found []listedPackage
	if len(args) > 2 {
		found, _ = m.listFields(context.Background(), false, nil, "ImportPath,Name", args...) // an editor has no place for the error
	}
	names := map[string]string{}
	for _, p := range found {
		if p.Name != "" && p.Name != "main" {
			names[p.ImportPath] = p.Name
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names, o.listing = names, false
}

// Packages returns the names of all known packages by import path. They are the packages of the image, the packages
// that Archive has found, and those of the modules that the notebook's module requires, once the go command has
// listed them.
func (m *Modules) Packages() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := maps.Clone(m.offered())
	if list == nil {
		list = map[string]string{}
	}
	maps.Copy(list, m.img.Packages())
	maps.Copy(list, m.names)
	return list
}
