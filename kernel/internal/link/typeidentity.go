package link

import (
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/symname"
)

// Types are named after their type arguments and elements. When a notebook type
// is given another layout its name stays, so the descriptors that earlier loads
// made of the old one must not be found by theirs. (See wrapper.go for code.)

// decideTypes compares a descriptor, and all notebook types it refers to, with
// those of earlier loads. It assumes that equal names mean equal types and
// then removes what differs, until nothing changes: so recursive types compare
// as Go defines identity. What remains is bound to the old descriptor.
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
	// A type argument need not appear in the layout.
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

// descriptor finds the type descriptor of that name in the cell's object.
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

// isReplaced reports whether a notebook type is another than the one that
// earlier loads knew by its name.
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

// newTypes lists, by name, the types of the cell whose descriptors are not those
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

// renewedSince reports whether a symbol mentions a type that is another one since
// the linker's given era.
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

// forgetReplacedTypes drops the records of types that this load replaces, and of the
// types made of them. It must run before this load's own are entered.
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
