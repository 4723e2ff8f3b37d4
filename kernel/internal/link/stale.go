package link

import (
	"slices"

	"github.com/perijove/perijove/kernel/internal/symname"
)

// Types are named after their type arguments and elements. When a notebook type
// is given another layout its name stays, so the descriptors that earlier loads
// made of the old one must not be found by theirs. (See wrapper.go for code.)

// descriptor finds the type descriptor of that name in the cell's object.
func (ld *load) descriptor(name string) (int, bool) {
	if ld.descriptors == nil {
		ld.descriptors = map[string]int{}
		for i := range ld.main.NumDef() {
			s := ld.main.Sym(i)
			if n := s.Name(); isType(s, n) && symname.MentionsNotebook(n) {
				ld.descriptors[n] = i
			}
		}
	}
	i, ok := ld.descriptors[name]
	return i, ok
}

// changed reports whether a notebook type is another than the one that
// earlier loads knew by its name.
func (ld *load) changed(name string) bool {
	if ld.types[name] == nil {
		return false
	}
	if _, done := ld.typeDone[name]; !done {
		i, ok := ld.descriptor(name)
		if !ok {
			return false
		}
		ld.decideTypes(ld.main, i, name)
	}
	return ld.typeDone[name] == nil
}

// forgetOutdated drops the records of types that this load replaces, and of the
// types made of them. It must run before this load's own are entered.
func (ld *load) forgetOutdated() {
	gone := map[string]bool{}
	for name, r := range ld.typeDone {
		if r == nil && ld.types[name] != nil {
			gone[name] = true
		}
	}
	if len(gone) == 0 {
		return
	}
	isGone := func(t string) bool { return gone["type:"+t] }
	for grown := true; grown; {
		grown = false
		for name, r := range ld.types {
			if gone[name] || ld.typeDone[name] != nil {
				continue
			}
			if slices.ContainsFunc(r.identity(), func(f typeRef) bool { return gone[f.target] }) ||
				symname.IsInstance(name) && slices.ContainsFunc(symname.NotebookTypes(name), isGone) {
				gone[name] = true
				grown = true
			}
		}
	}
	for name := range gone {
		delete(ld.Linker.types, name)
	}
}
