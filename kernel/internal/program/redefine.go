package program

import (
	"fmt"
	"go/types"
	"slices"
	"sort"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// affected finds the older symbols that must be compiled again because of what
// the cell declares, and puts copies of them into b.recomp. It follows users
// of a name whose meaning changed: through types, constants, variables and
// signatures to their users in turn, while a function whose body alone is
// concerned ends the chain, apart from those that may have inlined it.
func (b *builder) affected() {
	a := affected{b: b, names: map[string]bool{}, constants: map[string]bool{}}
	for _, s := range b.declared() {
		b.compare(&a, s)
	}
	for _, m := range b.t.RemovedMethods {
		if b.joins(m) {
			a.changed(m.Recv)
		}
	}
	for len(a.todo) > 0 {
		name := a.todo[0]
		a.todo = a.todo[1:]
		for user := range b.t.Users[name] {
			a.user(user, name)
		}
	}
	symtab.SortSymbols(b.order)
}

type affected struct {
	b     *builder
	names map[string]bool // names whose users must follow
	todo  []string
	// constants are those of names that are constants, or types and constants
	// that depend on some.
	constants map[string]bool
}

func (a *affected) changed(name string) {
	if !a.names[name] {
		a.names[name] = true
		a.todo = append(a.todo, name)
	}
}

// declared lists what the cell gives a new meaning, in a stable order.
func (b *builder) declared() []*symtab.Symbol {
	var out []*symtab.Symbol
	for _, s := range b.decls {
		if !s.IsUnnamed() {
			out = append(out, s)
		}
	}
	var names []string
	for name := range b.vars {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		out = append(out, b.vars[name])
	}
	return out
}

// compare notes what changes by a new meaning of s's names.
func (b *builder) compare(a *affected, s *symtab.Symbol) {
	for _, name := range s.Names() {
		old := b.t.Names[name]
		switch {
		case old == nil:
			if s.Recv != "" && b.joins(s) {
				a.changed(s.Recv)
			}
		case s.Recv != "" && old.Decl.PtrRecv != s.Decl.PtrRecv:
			a.changed(name)
			a.changed(s.Recv)
		case old.Kind != s.Kind || old.FingerprintOf(name) != s.FingerprintOf(name):
			a.constants[name] = old.Kind == cell.Const
			a.changed(name)
			if s.Recv != "" {
				a.changed(s.Recv)
			}
		case s.Kind == cell.Func && old.GoName != s.GoName:
			a.changed(name)
		case s.Kind == cell.Func && !s.Decl.Generic:
			a.inliners(old)
		}
	}
}

// inliners adds the functions whose code may hold a copy of old's body: those
// compiled with it in sight that lead to it. A method may also be reached
// through an interface whose dynamic type the compiler knew, so for methods
// all that had it in sight count.
func (a *affected) inliners(old *symtab.Symbol) {
	saw := a.b.t.CompiledWith[old.Key]
	if len(saw) == 0 {
		return
	}
	if old.Recv != "" {
		for s := range saw {
			a.recompile(s)
		}
		return
	}
	seen := map[string]bool{old.Key: true}
	for todo := []string{old.Key}; len(todo) > 0; todo = todo[1:] {
		for s := range a.b.t.Users[todo[0]] {
			if s.Kind == cell.Func && saw[s] && !seen[s.Key] {
				seen[s.Key] = true
				todo = append(todo, s.Key)
				a.recompile(s)
			}
		}
	}
}

func (a *affected) recompile(s *symtab.Symbol) {
	b := a.b
	if b.recomp[s] != nil || b.replaced(s) {
		return
	}
	clone := *s
	clone.Uses = nil
	if s.Kind == cell.Func {
		clone.IsLoaded = false
	}
	b.recomp[s] = &clone
	b.order = append(b.order, s)
}

// replaced reports whether the cell's own declarations take all of s's names.
func (b *builder) replaced(s *symtab.Symbol) bool {
	for _, name := range s.Names() {
		if b.t.Names[name] == s && b.fresh[name] == nil && b.vars[name] == nil {
			return false
		}
	}
	return true
}

// user handles a symbol that mentions a changed name.
func (a *affected) user(s *symtab.Symbol, name string) {
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
	a.b.byConstant[s] = a.b.byConstant[s] || a.constants[name]
	if s.Kind == cell.Func && !s.Decl.Generic && !s.MentionedInSignature(name) {
		a.inliners(s)
		return
	}
	for _, n := range s.Names() {
		a.constants[n] = a.constants[n] || a.constants[name] && s.Kind != cell.Func
		a.changed(n)
	}
	if s.Recv != "" {
		a.inliners(s)
	}
}

// literals has the literals of older statements compiled again.
func (a *affected) literals(s *symtab.Symbol, name string) {
	if a.constants[name] && a.b.heldAgain[s] == nil {
		clone := *s
		a.b.heldAgain[s] = &clone
		a.b.holders = append(a.b.holders, s)
	}
}

// returning makes copies of the declarations that were set aside, to try them
// again.
func (b *builder) returning() {
	if len(b.decls)+len(b.vars)+len(b.imports)+len(b.t.RemovedMethods) == 0 {
		return
	}
	for _, a := range symtab.SortedAside(b.t.Aside) {
		taken := false
		for _, name := range a.Names() {
			taken = taken || b.fresh[name] != nil || b.vars[name] != nil || b.t.Names[name] != nil
		}
		if taken {
			continue
		}
		clone := *a.Symbol
		clone.IsLoaded, clone.Uses = false, nil
		b.back = append(b.back, &clone)
		for _, name := range clone.Names() {
			b.backBy[name] = &clone
		}
	}
}

// setAside drops the owner of a fault, an older declaration that the cell
// breaks or that was broken already.
func (b *builder) setAside(f check.Fault) {
	if b.stillAside[f.Owner] { // another fault of the same body
		return
	}
	if f.Owner.Kind == cell.Statement {
		b.leaveLiterals(f)
		return
	}
	for i, s := range b.back {
		if s == f.Owner {
			b.back = append(b.back[:i:i], b.back[i+1:]...)
			b.stillAside[s] = true
			for _, name := range s.Names() {
				delete(b.backBy, name)
			}
			return
		}
	}
	old := f.Owner
	for o, clone := range b.recomp {
		if clone == f.Owner {
			old = o
		}
	}
	if _, done := b.dropped[old]; done {
		return
	}
	reason := f.Err.Error()
	if f.Err.Pos.Line == 0 { // in what we write for a variable
		reason = fmt.Sprintf("its type does not compile: %s", f.Err.Msg)
	}
	b.dropped[old] = reason
	b.droppedOrder = append(b.droppedOrder, old)
}

// leaveLiterals gives up literals that do not compile any more.
func (b *builder) leaveLiterals(f check.Fault) {
	for old, s := range b.heldAgain {
		if s == f.Owner {
			delete(b.heldAgain, old)
			b.holders = slices.DeleteFunc(b.holders, func(h *symtab.Symbol) bool { return h == old })
			b.notice("function literals of %s keep the constants of their time: %s", cell.Name(old.Origin.Cell), f.Err.Error())
		}
	}
	b.stillAside[f.Owner] = true
}

// settleOlder takes fingerprints of the recompiled symbols, chooses their link
// names and says what happened to them.
func (b *builder) settleOlder(r *check.Result) {
	for _, old := range b.order {
		if _, gone := b.dropped[old]; gone {
			delete(b.recomp, old)
			continue
		}
		s := b.recomp[old]
		b.settleAgain(r, s)
		if s.Kind == cell.Var && s.Fingerprint != old.Fingerprint {
			b.reset = append(b.reset, s)
			b.notice("%s (%s) was reset to its zero value: its type %s changed", s.Key, cell.Name(s.Origin.Cell), s.TypeString)
		}
	}
	for _, old := range b.droppedOrder {
		what := "set aside"
		if old.Kind == cell.Var {
			what = "gone"
		}
		b.notice("%s (%s) is %s: %s", old.Title(), cell.Name(old.Origin.Cell), what, b.dropped[old])
	}
	for _, s := range b.back {
		b.settleAgain(r, s)
		b.notice("%s (%s) is back: it compiles again", s.Title(), cell.Name(s.Origin.Cell))
	}
}

func (b *builder) notice(format string, args ...any) {
	b.notices = append(b.notices, fmt.Sprintf(format, args...))
}

func (b *builder) settleAgain(r *check.Result, s *symtab.Symbol) {
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

// renewed reports whether a method needs a new stub: running code that was
// compiled for the old signature or the old receiver must not reach it.
func (b *builder) renewed(s *symtab.Symbol) bool {
	old := b.t.Names[s.Key]
	if old == nil || s.Recv == "" {
		return false
	}
	if old.CallerFingerprint() != s.CallerFingerprint() {
		return true
	}
	before, now := b.t.Names[s.Recv], b.lookup(s.Recv)
	return before != nil && now != nil && before.Layout != now.Layout
}
