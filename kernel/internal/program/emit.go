package program

import (
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// emitUnit writes the files of the unit. in holds the older symbols that it
// needs.
func (b *builder) emitUnit(isShape bool, in map[*symtab.Symbol]emit.Form) *emit.Emitter {
	u := b.input(in)
	u.IsShape = isShape
	if !isShape {
		b.noteBodies(in)
		u.Wrapped, u.TouchedTypes, u.TouchedStructs = b.recompiledGenerics(b.recompiledSymbols()), b.touchedTypes(), b.touchedStructs(b.touched)
		for _, old := range b.literalHolders {
			u.LiteralHolders = append(u.LiteralHolders, b.recompiledHolders[old])
		}
		for _, st := range b.stmts {
			st.Retyped = b.retypedBy(st)
		}
	}
	return emit.Write(u)
}

func (b *builder) input(in map[*symtab.Symbol]emit.Form) *emit.Input {
	blanks := append(b.blanks[:len(b.blanks):len(b.blanks)], b.table.PendingBlanks...)
	old := b.table.Names[symtab.ContextName]
	u := &emit.Input{
		Origin: b.origin, Scope: live{b}, Packages: b.p.pkgs, Runtime: b.p.cfg.RuntimePackage, Standalone: b.p.cfg.Standalone, IsTimed: b.cell.Timed,
		KeepsContext: old != nil && old.Kind == cell.Var && old.TypeString == "context.Context",
		Older:        in, Decls: b.decls, Specs: b.specs, Stmts: b.stmts, Vars: b.vars,
		Bindings: b.bindings, Before: b.stmtBindings, BlankImports: blanks, FirstValues: b.firstValues,
	}
	if m := b.fresh["main"]; m != nil && m.Kind == cell.Func {
		u.Main = m
	}
	return u
}

// noteBodies collects the functions that function literals in the bodies of older functions may call.
func (b *builder) noteBodies(in map[*symtab.Symbol]emit.Form) {
	for s, f := range in {
		if s.Kind == cell.Func && f == emit.Full {
			b.noteOutliving(&s.Decl.Source)
		}
	}
}

// touchedTypes lists the generic types whose methods or wrappers the unit compiles again.
func (b *builder) touchedTypes() []*symtab.Symbol {
	var out []*symtab.Symbol
	for _, name := range slices.Sorted(maps.Keys(b.touched)) {
		if t := b.lookup(name); t != nil && t.Kind == cell.Type && t.Decl.Generic {
			out = append(out, t)
		}
	}
	return out
}

func (l live) Lookup(name string) *symtab.Symbol { return l.b.lookup(name) }

func (l live) LookupBefore(name string) *symtab.Symbol { return l.b.lookupBefore(name) }

func (l live) MayOutlive(s *symtab.Symbol) bool { return l.b.mayOutlive(s) }

func (l live) HasFollowers(s *symtab.Symbol) bool {
	return slices.Contains(l.b.followingIn(s), true)
}

func (l live) Instances(s *symtab.Symbol) []symtab.Instance { return l.b.instancesOf(s) }
