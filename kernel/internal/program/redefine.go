package program

import (
	"fmt"
	"go/types"
	"slices"
	"sort"

	"github.com/perijove/perijove/kernel/internal/cell"
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
	for _, m := range b.t.removed {
		if b.joins(m) {
			a.changed(m.recv)
		}
	}
	for len(a.todo) > 0 {
		name := a.todo[0]
		a.todo = a.todo[1:]
		for user := range b.t.users[name] {
			a.user(user, name)
		}
	}
	sortSymbols(b.order)
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
func (b *builder) declared() []*symbol {
	var out []*symbol
	for _, s := range b.decls {
		if !s.once() {
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
func (b *builder) compare(a *affected, s *symbol) {
	for _, name := range s.names() {
		old := b.t.names[name]
		switch {
		case old == nil:
			if s.recv != "" && b.joins(s) {
				a.changed(s.recv)
			}
		case s.recv != "" && old.decl.PtrRecv != s.decl.PtrRecv:
			a.changed(name)
			a.changed(s.recv)
		case old.kind != s.kind || old.printOf(name) != s.printOf(name):
			a.constants[name] = old.kind == cell.Const
			a.changed(name)
			if s.recv != "" {
				a.changed(s.recv)
			}
		case s.kind == cell.Func && old.ename != s.ename:
			a.changed(name)
		case s.kind == cell.Func && !s.decl.Generic:
			a.inliners(old)
		}
	}
}

// inliners adds the functions whose code may hold a copy of old's body: those
// compiled with it in sight that lead to it. A method may also be reached
// through an interface whose dynamic type the compiler knew, so for methods
// all that had it in sight count.
func (a *affected) inliners(old *symbol) {
	saw := a.b.t.saw[old.key]
	if len(saw) == 0 {
		return
	}
	if old.recv != "" {
		for s := range saw {
			a.recompile(s)
		}
		return
	}
	seen := map[string]bool{old.key: true}
	for todo := []string{old.key}; len(todo) > 0; todo = todo[1:] {
		for s := range a.b.t.users[todo[0]] {
			if s.kind == cell.Func && saw[s] && !seen[s.key] {
				seen[s.key] = true
				todo = append(todo, s.key)
				a.recompile(s)
			}
		}
	}
}

func (a *affected) recompile(s *symbol) {
	b := a.b
	if b.recomp[s] != nil || b.replaced(s) {
		return
	}
	clone := *s
	clone.uses = nil
	if s.kind == cell.Func {
		clone.loaded = false
	}
	b.recomp[s] = &clone
	b.order = append(b.order, s)
}

// replaced reports whether the cell's own declarations take all of s's names.
func (b *builder) replaced(s *symbol) bool {
	for _, name := range s.names() {
		if b.t.names[name] == s && b.fresh[name] == nil && b.vars[name] == nil {
			return false
		}
	}
	return true
}

// user handles a symbol that mentions a changed name.
func (a *affected) user(s *symbol, name string) {
	if s.kind == cell.Statement {
		a.literals(s, name)
		return
	}
	if a.b.replaced(s) {
		if s.decl != nil && s.decl.Generic {
			a.changed(s.key)
		}
		return
	}
	a.recompile(s)
	a.b.byConstant[s] = a.b.byConstant[s] || a.constants[name]
	if s.kind == cell.Func && !s.decl.Generic && !s.mentionedInSignature(name) {
		a.inliners(s)
		return
	}
	for _, n := range s.names() {
		a.constants[n] = a.constants[n] || a.constants[name] && s.kind != cell.Func
		a.changed(n)
	}
	if s.recv != "" {
		a.inliners(s)
	}
}

// literals has the literals of older statements compiled again.
func (a *affected) literals(s *symbol, name string) {
	if a.constants[name] && a.b.heldAgain[s] == nil {
		clone := *s
		a.b.heldAgain[s] = &clone
		a.b.holders = append(a.b.holders, s)
	}
}

// returning makes copies of the declarations that were set aside, to try them
// again.
func (b *builder) returning() {
	if len(b.decls)+len(b.vars)+len(b.imports)+len(b.t.removed) == 0 {
		return
	}
	for _, a := range sortedAside(b.t.aside) {
		taken := false
		for _, name := range a.names() {
			taken = taken || b.fresh[name] != nil || b.vars[name] != nil || b.t.names[name] != nil
		}
		if taken {
			continue
		}
		clone := *a.symbol
		clone.loaded, clone.uses = false, nil
		b.back = append(b.back, &clone)
		for _, name := range clone.names() {
			b.backBy[name] = &clone
		}
	}
}

// setAside drops the owner of a fault, an older declaration that the cell
// breaks or that was broken already.
func (b *builder) setAside(f fault) {
	if b.stillAside[f.owner] { // another fault of the same body
		return
	}
	if f.owner.kind == cell.Statement {
		b.leaveLiterals(f)
		return
	}
	for i, s := range b.back {
		if s == f.owner {
			b.back = append(b.back[:i:i], b.back[i+1:]...)
			b.stillAside[s] = true
			for _, name := range s.names() {
				delete(b.backBy, name)
			}
			return
		}
	}
	old := f.owner
	for o, clone := range b.recomp {
		if clone == f.owner {
			old = o
		}
	}
	if _, done := b.dropped[old]; done {
		return
	}
	reason := f.err.Error()
	if f.err.Pos.Line == 0 { // in what we write for a variable
		reason = fmt.Sprintf("its type does not compile: %s", f.err.Msg)
	}
	b.dropped[old] = reason
	b.droppedOrder = append(b.droppedOrder, old)
}

// leaveLiterals gives up literals that do not compile any more.
func (b *builder) leaveLiterals(f fault) {
	for old, s := range b.heldAgain {
		if s == f.owner {
			delete(b.heldAgain, old)
			b.holders = slices.DeleteFunc(b.holders, func(h *symbol) bool { return h == old })
			b.notice("function literals of %s keep the constants of their time: %s", cell.Name(old.origin.n), f.err.Error())
		}
	}
	b.stillAside[f.owner] = true
}

// settleOlder takes fingerprints of the recompiled symbols, chooses their link
// names and says what happened to them.
func (b *builder) settleOlder(r *result) {
	for _, old := range b.order {
		if _, gone := b.dropped[old]; gone {
			delete(b.recomp, old)
			continue
		}
		s := b.recomp[old]
		b.settleAgain(r, s)
		if s.kind == cell.Var && s.print != old.print {
			b.reset = append(b.reset, s)
			b.notice("%s (%s) was reset to its zero value: its type %s changed", s.key, cell.Name(s.origin.n), s.text)
		}
	}
	for _, old := range b.droppedOrder {
		what := "set aside"
		if old.kind == cell.Var {
			what = "gone"
		}
		b.notice("%s (%s) is %s: %s", old.title(), cell.Name(old.origin.n), what, b.dropped[old])
	}
	for _, s := range b.back {
		b.settleAgain(r, s)
		b.notice("%s (%s) is back: it compiles again", s.title(), cell.Name(s.origin.n))
	}
}

func (b *builder) notice(format string, args ...any) {
	b.notices = append(b.notices, fmt.Sprintf(format, args...))
}

func (b *builder) settleAgain(r *result, s *symbol) {
	obj := b.object(r, s)
	if obj == nil {
		return
	}
	if v, ok := obj.(*types.Var); ok && s.kind == cell.Var {
		s.text, s.print = typetext.String(v.Type(), r.pkg), typetext.Fingerprint(v.Type(), r.pkg)
		b.link(s)
		return
	}
	b.describeSymbol(s, obj, r.pkg)
	if s.kind == cell.Func {
		b.link(s)
	}
}

// renewed reports whether a method needs a new stub: running code that was
// compiled for the old signature or the old receiver must not reach it.
func (b *builder) renewed(s *symbol) bool {
	old := b.t.names[s.key]
	if old == nil || s.recv == "" {
		return false
	}
	if old.callers() != s.callers() {
		return true
	}
	before, now := b.t.names[s.recv], b.lookup(s.recv)
	return before != nil && now != nil && before.layout != now.layout
}
