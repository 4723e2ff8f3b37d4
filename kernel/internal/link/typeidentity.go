package link

import (
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/symname"
)

// The symbol of a type contains the names of its type arguments and elements. When a notebook type
// gets another layout, its name stays the same. So descriptors of earlier loads for types that are made of
// the old type must not be found by name any more. (See wrapper.go for code.)

// decideTypes compares a descriptor, and those of all notebook types that it refers to, with
// those of earlier loads. It first assumes that equal names mean equal types, and
// then removes types that differ until nothing changes. So recursive types are compared
// as Go defines identity. The remaining types use the old descriptors.
func (ld *load) decideTypes(o *object, i int, name string) {
	group := map[string]*typeRecord{}
	ld.collectTypes(o, i, name, group)
	same := map[string]bool{}
	for n := range group {
		same[n] = ld.types[n] != nil
	}
	equalTarget := func(old *typeRecord, n string) bool {
		if ld.renewedSince(n, old.generation) {
			return false
		}
		if !strings.HasPrefix(n, "type:") || !symname.MentionsMain(n) || strings.HasPrefix(n, "type:.") {
			return true
		}
		if ok, inGroup := same[n]; inGroup {
			return ok
		}
		return ld.decidedTypes[n] != nil
	}
	// The layout of an instance may not contain its type arguments, so these are compared by name.
	replaced := func(n string) bool {
		n = "type:" + n
		ok, inGroup := same[n]
		return ld.types[n] != nil && (inGroup && !ok || !inGroup && ld.isReplaced(n))
	}
	for changed := true; changed; {
		changed = false
		for n, r := range group {
			if same[n] && (!sameLayout(ld.types[n], r, equalTarget) || symname.IsInstance(n) && slices.ContainsFunc(symname.NotebookTypes(n), replaced)) {
				same[n] = false
				changed = true
			}
		}
	}
	for n, ok := range same {
		ld.decidedTypes[n] = nil
		if ok {
			ld.decidedTypes[n] = ld.types[n]
		}
	}
}

func (ld *load) collectTypes(o *object, i int, name string, group map[string]*typeRecord) {
	if _, seen := group[name]; seen {
		return
	}
	if _, done := ld.decidedTypes[name]; done {
		return
	}
	group[name] = newTypeRecord(o, i, name)
	for _, rel := range o.Sym(i).Relocs() {
		if j, ok := o.Index(rel.Sym()); ok && j < o.NumDef() {
			s := o.Sym(j)
			if n := s.Name(); isType(s, n) && symname.MentionsMain(n) {
				ld.collectTypes(o, j, n, group)
			}
		}
	}
	if !o.isMain || !symname.IsInstance(name) {
		return
	}
	for _, t := range symname.NotebookTypes(name) {
		if j, ok := ld.descriptor("type:" + t); ok {
			ld.collectTypes(o, j, "type:"+t, group)
		}
	}
}

// descriptor returns the index of the type descriptor with this name in the cell's object.
func (ld *load) descriptor(name string) (int, bool) {
	if ld.descriptors == nil {
		ld.descriptors = map[string]int{}
		for i := range ld.main.NumDef() {
			s := ld.main.Sym(i)
			if n := s.Name(); isType(s, n) && symname.MentionsMain(n) {
				ld.descriptors[n] = i
			}
		}
	}
	i, ok := ld.descriptors[name]
	return i, ok
}

// isReplaced reports whether a notebook type differs from the type of the same name in
// earlier loads.
func (ld *load) isReplaced(name string) bool {
	if ld.types[name] == nil {
		return false
	}
	if _, done := ld.decidedTypes[name]; !done {
		i, ok := ld.descriptor(name)
		if !ok {
			return false
		}
		ld.decideTypes(ld.main, i, name)
	}
	return ld.decidedTypes[name] == nil
}

// newTypes returns the names of the cell's types that do not use the descriptor
// of an earlier load.
func (ld *load) newTypes() map[string]bool {
	if ld.newNames != nil {
		return ld.newNames
	}
	ld.newNames = map[string]bool{}
	for i := range ld.main.NumDef() {
		s := ld.main.Sym(i)
		name := s.Name()
		if !strings.HasPrefix(name, "type:main.") || !isType(s, name) {
			continue
		}
		if _, done := ld.decidedTypes[name]; !done {
			ld.decideTypes(ld.main, i, name)
		}
		if ld.decidedTypes[name] == nil {
			ld.newNames[name[len("type:main."):]] = true
		}
	}
	return ld.newNames
}

// renewedSince reports whether a symbol mentions a package that got new types after
// typeGeneration had the value era.
func (l *Linker) renewedSince(name string, era int) bool {
	if l.typeGeneration == era {
		return false
	}
	for prefix, since := range l.renewed {
		if since > era && symname.MentionsPackage(name, prefix) {
			return true
		}
	}
	return false
}

// forgetReplacedTypes removes the records of types that this load replaces, and of
// types made of them. It must run before the records of this load are added.
func (ld *load) forgetReplacedTypes() {
	gone := map[string]bool{}
	for name, r := range ld.decidedTypes {
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
			if gone[name] || ld.decidedTypes[name] != nil {
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
