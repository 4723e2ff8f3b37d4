package link

import (
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// Packages under edit.
//
// A package that the user edits beside the notebook is loaded anew when it has
// changed: its variables start anew and its init functions run again. Code
// that was loaded before may still run, and its values are still there. Two
// cases are told apart:
//
// If all types and exported signatures are as before, types stay what they
// are, and the functions that others call, through their stubs, lead to the new
// code: older callers, func values and interfaces follow.
//
// If one differs, all types of the packages are new types. Older code and
// values stay among themselves.

// Reload says that packages will be found in another version from now on. The
// caller knows whether exported signatures differ. It returns whether types are
// made again.
func (l *Linker) Reload(paths []string, renew bool) (renewed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer goobj.Guard(&err)
	clear(l.buildsBelow)
	old := map[string]*pkg{}
	defer func() {
		if err != nil { // the versions that are loaded stay
			for path, p := range old {
				l.packages[path] = p
			}
		}
	}()
	for _, path := range paths {
		if old[path] = l.packages[path]; old[path] == nil {
			delete(old, path)
			continue
		}
		delete(l.packages, path)
		p, err := l.openPackage(path)
		if err != nil {
			return false, err
		}
		renew = renew || !sameTypes(old[path], p)
	}
	if renew {
		l.typeGeneration++
	}
	for _, path := range paths { // in order, for children repeat it
		if old[path] != nil {
			l.unload(path, renew)
		}
	}
	return renew, nil
}

// unload forgets what is known of a package's symbols. They stay in place.
func (l *Linker) unload(path string, renew bool) {
	prefix := goobj.EscapePath(path)
	for key := range l.globals {
		if (renew || !strings.HasPrefix(key.name, "type:")) && symname.MentionsPackage(key.name, prefix) {
			delete(l.globals, key)
		}
	}
	delete(l.initStates, symname.InitTask(path))
	if !renew {
		l.reloaded = append(l.reloaded, path)
		return
	}
	l.renewed[prefix] = l.typeGeneration
	for name := range l.stubs {
		if symname.MentionsPackage(name, prefix) && !symname.MentionsMain(name) {
			delete(l.stubs, name)
		}
	}
	l.dropFormerStubs(func(name string) bool { return symname.MentionsPackage(name, prefix) })
}

// sameTypes compares the types that two versions of a package declare.
func sameTypes(old, now *pkg) bool {
	was, is := old.declaredTypes(), now.declaredTypes()
	for name, r := range was {
		if is[name] == nil || !sameLayout(r, is[name], func(*typeRecord, string) bool { return true }) || !sameMethods(r, is[name]) {
			return false
		}
	}
	return true
}

// declaredTypes lists the descriptors of a package's named types, and of the
// pointers to them, which have their methods.
func (p *pkg) declaredTypes() map[string]*typeRecord {
	prefix := goobj.EscapePath(p.path) + "."
	list := map[string]*typeRecord{}
	for _, o := range p.objs {
		for i := range o.NumDef() {
			s := o.Sym(i)
			if !s.IsType() {
				continue
			}
			name := s.Name()
			if rest, ok := strings.CutPrefix(name, "type:"); ok && strings.HasPrefix(strings.TrimPrefix(rest, "*"), prefix) {
				list[name] = newTypeRecord(o, i, name)
			}
		}
	}
	return list
}

// replacements places the new code of functions that were loaded in an older
// version, and collects the init tasks of their packages.
func (ld *load) replacements() (map[string]*initNode, error) {
	nodes := map[string]*initNode{}
	for _, path := range ld.reloaded {
		p, err := ld.openPackage(path)
		if err != nil {
			return nil, err
		}
		prefix := goobj.EscapePath(path)
		for _, name := range slices.Sorted(maps.Keys(ld.Linker.stubs)) { // in order, as children do
			if !strings.HasPrefix(name, prefix+".") {
				continue
			}
			if d, ok := p.find(symKey{name, goobj.ABIInternal}); ok {
				if _, err := ld.resolveIndex(d.obj, d.i); err != nil {
					return nil, err
				}
			}
		}
		task := symname.InitTask(path)
		d, ok := p.find(symKey{task, goobj.ABI0})
		if !ok || nodes[task] != nil {
			continue
		}
		n := &initNode{name: task, def: d}
		nodes[task] = n
		if err := ld.initGraph(d.obj, d.i, n, nodes); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}
