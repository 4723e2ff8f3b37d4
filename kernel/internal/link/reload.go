package link

import (
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// A package under edit is a package that the user edits outside of the notebook.
//
// It is loaded again when it has changed: its variables get their initial values and its init functions run again. Code
// of the older version may still run, and values of its types still exist. There are two cases:
//
// If all types and exported signatures are unchanged, the types stay the same, and the
// stubs of functions that other packages call jump to the new
// code: older callers, func values and interfaces use the new code.
//
// If a type or an exported signature has changed, all types of the packages are new types. Older code keeps the older types
// and functions.

// Reload tells the linker that Archives returns other versions of packages from now on. renew says whether exported
// signatures have changed. Reload reports whether the packages get new types: they do if renew is true, or if one of
// their types has changed.
func (l *Linker) Reload(paths []string, renew bool) (renewed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer goobj.Guard(&err)
	clear(l.buildsBelow)
	old := map[string]*pkg{}
	defer func() {
		if err != nil { // keep the loaded versions
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
	for _, path := range paths { // in the order of paths, so that children do the same
		if old[path] != nil {
			l.unload(path, renew)
		}
	}
	return renew, nil
}

// unload forgets the addresses of a package's symbols. Its code and data stay in memory.
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

// sameTypes reports whether the types of the old version of a package are the same in the new one.
func sameTypes(old, now *pkg) bool {
	was, is := old.declaredTypes(), now.declaredTypes()
	for name, r := range was {
		if is[name] == nil || !sameLayout(r, is[name], func(*typeRecord, string) bool { return true }) || !sameMethods(r, is[name]) {
			return false
		}
	}
	return true
}

// declaredTypes returns the descriptors of a package's named types, and of the pointers to these
// types. The descriptor of a pointer type has all methods.
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

// replacements resolves the new versions of the functions of reloaded packages that have
// stubs. It returns the packages' init tasks.
func (ld *load) replacements() (map[string]*initNode, error) {
	nodes := map[string]*initNode{}
	for _, path := range ld.reloaded {
		p, err := ld.openPackage(path)
		if err != nil {
			return nil, err
		}
		prefix := goobj.EscapePath(path)
		for _, name := range slices.Sorted(maps.Keys(ld.Linker.stubs)) { // sorted: children do the same
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
