package program

import (
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// The method set of a type changes with its methods, and with those of the types
// that it embeds. The worker process keeps the identity of the type and replaces the methods in its descriptor. For
// this, the unit must contain the new descriptors: of the receiver, of all types that embed it, of their instances, and
// of struct types without a name.

// addTouched adds the types whose method sets the unit changes.
func (r *reacher) addTouched() {
	for _, s := range r.b.decls {
		if s.Recv != "" && !s.IsUnnamed() {
			r.embedders(s.Recv)
		}
	}
	for s := range r.b.broken {
		r.addWithout(s)
	}
	for _, s := range r.b.table.RemovedMethods {
		r.addWithout(s)
	}
}

// addWithout adds the types whose method sets change because a method was removed.
func (r *reacher) addWithout(method *symtab.Symbol) {
	if t := r.b.lookup(method.Recv); method.Recv != "" && t != nil && t.Kind == cell.Type {
		r.add(t)
		r.embedders(method.Recv)
	}
}

// embedders adds the types that embed a type, directly or through others.
func (r *reacher) embedders(name string) {
	r.embedding[name] = true
	for user := range r.b.table.Users[name] {
		s := r.b.lookup(user.Key)
		if user.Kind != cell.Type || s == nil || s.Kind != cell.Type || r.embedding[s.Key] || !s.Embeds(name) {
			continue
		}
		r.add(s)
		r.embedders(s.Key)
	}
}

// mayHidePromoted reports whether a new method may hide a promoted method of the same name, or
// make it ambiguous. If so, the code that selects a method of that name is compiled again.
func (b *builder) mayHidePromoted(s *symtab.Symbol) bool {
	t := b.lookup(s.Recv)
	if t == nil || t.Kind != cell.Type {
		return false
	}
	if t.EmbedsAny() {
		return true
	}
	for user := range b.table.Users[s.Recv] {
		if (user.Kind == cell.Type || user.Kind == cell.Func) && user.Embeds(s.Recv) {
			return true
		}
	}
	return false
}

// touchedStructs lists the struct types without a name that mention a touched
// type, and whose types all exist.
func (b *builder) touchedStructs(touched map[string]bool) []*typetext.Text {
	if len(touched) == 0 || b.noInstances {
		return nil
	}
	isGone := func(name string) bool {
		s := b.lookup(name)
		return s == nil || s.Kind != cell.Type
	}
	var out []*typetext.Text
	for _, key := range slices.Sorted(maps.Keys(b.table.Structs)) {
		t := b.table.Structs[key]
		if slices.ContainsFunc(t.Names, func(n string) bool { return touched[n] }) && !slices.ContainsFunc(t.Names, isGone) {
			out = append(out, t)
		}
	}
	return out
}

// describers adds the types that the expressions for touchedTypes and touchedStructs mention.
func (r *reacher) describers() {
	add := func(names []string) {
		for _, name := range names {
			r.add(r.b.lookup(name))
		}
	}
	for name := range r.embedding {
		if t := r.b.lookup(name); t != nil && t.Kind == cell.Type && t.Decl.Generic {
			for _, in := range r.b.instancesOf(t) {
				add(in.TypeNames())
			}
		}
	}
	for _, t := range r.b.touchedStructs(r.embedding) {
		add(t.Names)
	}
}
