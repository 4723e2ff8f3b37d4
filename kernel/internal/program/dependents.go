package program

import (
	"fmt"
	"go/types"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// findDependents finds the older symbols that must be compiled again because of the
// cell's declarations, and puts copies of them into b.recompiled. It starts at the
// names whose meaning changed and visits their users. The users of a type, a constant, a
// variable or a signature are visited in turn. If only the body of a function uses
// the name, the search continues only with the functions that may have inlined that body.
func (b *builder) findDependents() {
	a := dependents{b: b, names: map[string]bool{}, followed: map[string]bool{}}
	for _, s := range b.declared() {
		b.compare(&a, s)
	}
	for _, m := range b.table.RemovedMethods {
		if b.mayHidePromoted(m) {
			a.changed(m.Recv)
		}
	}
	for len(a.todo) > 0 {
		name := a.todo[0]
		a.todo = a.todo[1:]
		for user := range b.table.Users[name] {
			a.user(user, name)
		}
	}
	symtab.SortSymbols(b.recompiledOrder)
}

type dependents struct {
	b     *builder
	names map[string]bool // names whose users must be compiled again
	todo  []string
	// followed has the elements of names that function literals follow: constants,
	// generic code, and declarations that depend on them.
	followed map[string]bool
}

func (a *dependents) changed(name string) {
	if !a.names[name] {
		a.names[name] = true
		a.todo = append(a.todo, name)
	}
}

// compare records which names change their meaning when s replaces the older symbols that have these names.
func (b *builder) compare(a *dependents, s *symtab.Symbol) {
	for _, name := range s.Names() {
		old := b.table.Names[name]
		switch {
		case old == nil:
			if s.Recv != "" && b.mayHidePromoted(s) {
				a.changed(s.Recv)
			}
		case s.Recv != "" && old.Decl.PtrRecv != s.Decl.PtrRecv:
			a.changed(name)
			a.changed(s.Recv)
		case old.Kind != s.Kind || old.FingerprintOf(name) != s.FingerprintOf(name):
			a.followed[name] = old.Kind == cell.Const || old.IsGenericFunc()
			a.changed(name)
			if s.Recv != "" {
				a.followed[s.Recv] = a.followed[s.Recv] || old.IsGenericFunc()
				a.changed(s.Recv)
			}
		case s.Kind == cell.Func && old.GoName != s.GoName:
			a.changed(name)
		case s.Kind == cell.Func && !s.Decl.Generic:
			a.inliners(old)
		}
	}
}

// inliners adds the functions whose code may hold an inlined copy of old's body:
// those that were compiled in a unit with the body and that call old, directly or
// through others. A method may also be called through an interface whose dynamic type the
// compiler knew, so for a method inliners adds all functions that were compiled with its body.
func (a *dependents) inliners(old *symtab.Symbol) {
	saw := a.b.table.CompiledWith[old.Key]
	if len(saw) == 0 {
		return
	}
	if old.Recv != "" {
		for s := range saw {
			a.inlined(s)
		}
		return
	}
	seen := map[string]bool{old.Key: true}
	for todo := []string{old.Key}; len(todo) > 0; todo = todo[1:] {
		for s := range a.b.table.Users[todo[0]] {
			if s.Kind == cell.Func && saw[s] && !seen[s.Key] {
				seen[s.Key] = true
				todo = append(todo, s.Key)
				a.inlined(s)
			}
		}
	}
}

// inlined adds a function that may hold an inlined copy of another one's body. If it is generic, its users are
// compiled again, too, and function literals follow it.
func (a *dependents) inlined(s *symtab.Symbol) {
	a.recompile(s)
	a.b.byFollowed[s] = true
	if !s.IsGenericFunc() {
		return
	}
	name := s.Key
	if s.Recv != "" {
		name = s.Recv
	}
	a.followed[name] = true
	a.changed(name)
}

func (a *dependents) recompile(s *symtab.Symbol) {
	b := a.b
	if b.recompiled[s] != nil || b.replaced(s) {
		return
	}
	clone := *s
	clone.Uses = nil
	if s.Kind == cell.Func {
		clone.IsLoaded = false
	}
	b.recompiled[s] = &clone
	b.recompiledOrder = append(b.recompiledOrder, s)
}

// replaced reports whether the cell replaces s under all its names.
func (b *builder) replaced(s *symtab.Symbol) bool {
	for _, name := range s.Names() {
		if b.table.Names[name] == s && b.fresh[name] == nil && b.vars[name] == nil {
			return false
		}
	}
	return true
}

// user handles a symbol that mentions a changed name.
func (a *dependents) user(s *symtab.Symbol, name string) {
	if s.Kind == cell.Statement {
		a.literals(s, name)
		return
	}
	if a.b.replaced(s) {
		if s.Decl != nil && s.Decl.Generic {
			a.changed(s.Key)
		}
		return
	}
	a.recompile(s)
	a.b.byFollowed[s] = a.b.byFollowed[s] || a.followed[name]
	if s.Kind == cell.Func && !s.Decl.Generic && !s.MentionedInSignature(name) {
		a.inliners(s)
		return
	}
	for _, n := range s.Names() {
		a.followed[n] = a.followed[n] || a.followed[name] && (s.Kind != cell.Func || s.IsGenericFunc())
		a.changed(n)
	}
	if s.Recv != "" {
		a.inliners(s)
	}
}

// literals makes sure that the literals of the older statements s are compiled again if
// they follow name.
func (a *dependents) literals(s *symtab.Symbol, name string) {
	if !a.followed[name] {
		return
	}
	if slices.ContainsFunc(s.KeptRefs(), func(r cell.Ref) bool { return r.Name == name }) {
		a.b.noteKept(cell.Name(s.Origin.Cell))
	}
	if len(s.Literals) > 0 && a.b.recompiledHolders[s] == nil {
		clone := *s
		a.b.recompiledHolders[s] = &clone
		a.b.literalHolders = append(a.b.literalHolders, s)
	}
}

// retryAside makes copies of the declarations that were set aside, to compile them
// again as a trial.
func (b *builder) retryAside() {
	if len(b.decls)+len(b.vars)+len(b.imports)+len(b.table.RemovedMethods) == 0 {
		return
	}
	for _, a := range symtab.SortedAside(b.table.Aside) {
		taken := false
		for _, name := range a.Names() {
			taken = taken || b.fresh[name] != nil || b.vars[name] != nil || b.table.Names[name] != nil
		}
		if taken {
			continue
		}
		clone := *a.Symbol
		clone.IsLoaded, clone.Uses = false, nil
		b.returning = append(b.returning, &clone)
		for _, name := range clone.Names() {
			b.returningByName[name] = &clone
		}
	}
}

// setAside leaves the owner of a fault out of the unit: an older declaration that the
// cell breaks, or one that was set aside before.
func (b *builder) setAside(f check.Fault) {
	if b.stillBroken[f.Owner] { // a second fault in the same declaration
		return
	}
	if f.Owner.Kind == cell.Statement {
		b.dropLiterals(f)
		return
	}
	for i, s := range b.returning {
		if s == f.Owner {
			b.returning = append(b.returning[:i:i], b.returning[i+1:]...)
			b.stillBroken[s] = true
			for _, name := range s.Names() {
				delete(b.returningByName, name)
			}
			return
		}
	}
	old := f.Owner
	for o, clone := range b.recompiled {
		if clone == f.Owner {
			old = o
		}
	}
	if _, done := b.broken[old]; done {
		return
	}
	reason := f.Err.Error()
	if f.Err.Pos.Line == 0 { // the fault is in generated code for a variable
		reason = fmt.Sprintf("its type does not compile: %s", f.Err.Msg)
	}
	b.broken[old] = reason
	b.brokenOrder = append(b.brokenOrder, old)
}

// dropLiterals leaves the literals of older statements as they are if they no longer compile.
func (b *builder) dropLiterals(f check.Fault) {
	for old, s := range b.recompiledHolders {
		if s == f.Owner {
			delete(b.recompiledHolders, old)
			b.literalHolders = slices.DeleteFunc(b.literalHolders, func(h *symtab.Symbol) bool { return h == old })
			b.notice("function literals made by %s keep their older code: %s", cell.Name(old.Origin.Cell), f.Err.Error())
		}
	}
	b.stillBroken[f.Owner] = true
}

// recordOlder records the fingerprints of the recompiled symbols, chooses their link
// names and adds notices about them.
func (b *builder) recordOlder(r *check.Result) {
	for _, old := range b.recompiledOrder {
		if _, gone := b.broken[old]; gone {
			delete(b.recompiled, old)
			continue
		}
		s := b.recompiled[old]
		b.recordRecompiled(r, s)
		if s.Kind == cell.Var && s.Fingerprint != old.Fingerprint {
			b.reset = append(b.reset, s)
			b.notice("%s (%s) was reset to its zero value: its type %s changed", s.Key, cell.Name(s.Origin.Cell), s.TypeString)
		}
	}
	for _, old := range b.brokenOrder {
		what := "no longer compiles"
		if old.Kind == cell.Var {
			what = "is lost"
		}
		b.notice("%s (%s) %s: %s", old.Title(), cell.Name(old.Origin.Cell), what, b.broken[old])
	}
	for _, s := range b.returning {
		b.recordRecompiled(r, s)
		b.returns = append(b.returns, fmt.Sprintf("%s (%s) can be used again: it compiles now", s.Title(), cell.Name(s.Origin.Cell)))
	}
}

func (b *builder) recordRecompiled(r *check.Result, s *symtab.Symbol) {
	obj := b.object(r, s)
	if obj == nil {
		return
	}
	if v, ok := obj.(*types.Var); ok && s.Kind == cell.Var {
		s.TypeString, s.Fingerprint = typetext.String(v.Type(), r.Pkg), typetext.Fingerprint(v.Type(), r.Pkg)
		b.link(s)
		return
	}
	b.describeSymbol(s, obj, r.Pkg)
	if s.Kind == cell.Func {
		b.link(s)
	}
}

// renewed reports whether a method needs a new stub: code that was compiled for
// the old signature or the old receiver must not call the new method.
func (b *builder) renewed(s *symtab.Symbol) bool {
	old := b.table.Names[s.Key]
	if old == nil || s.Recv == "" {
		return false
	}
	if old.CallerFingerprint() != s.CallerFingerprint() {
		return true
	}
	before, now := b.table.Names[s.Recv], b.lookup(s.Recv)
	return before != nil && now != nil && before.Layout != now.Layout
}
