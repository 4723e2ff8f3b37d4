package program

import (
	"go/types"
	"iter"
)

// A speaker knows what package main can spell.
type speaker struct {
	main *types.Package
	seen map[types.Type]bool // guards recursion
}

// speakable reports whether package main can spell t.
func speakable(t types.Type, main *types.Package) bool {
	return speaker{main, map[types.Type]bool{}}.says(t)
}

func (s speaker) says(t types.Type) bool {
	if s.seen[t] {
		return true
	}
	s.seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		return s.named(t.Obj(), t.TypeArgs())
	case *types.Alias:
		return s.named(t.Obj(), t.TypeArgs())
	case *types.Map:
		return s.says(t.Key()) && s.says(t.Elem())
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		return s.says(t.Elem())
	case *types.Signature:
		return every(t.Params().Variables(), s.variable) && every(t.Results().Variables(), s.variable)
	case *types.Struct:
		return every(t.Fields(), func(f *types.Var) bool { return s.member(f) })
	case *types.Interface:
		return every(t.ExplicitMethods(), func(m *types.Func) bool { return s.member(m) }) && every(t.EmbeddedTypes(), s.says)
	}
	return true
}

func (s speaker) named(obj *types.TypeName, args *types.TypeList) bool {
	if !every(args.Types(), s.says) {
		return false
	}
	switch {
	case obj.Pkg() == nil:
		return true
	case obj.Pkg() == s.main:
		return obj.Parent() == s.main.Scope()
	}
	return obj.Exported() && obj.Parent() == obj.Pkg().Scope()
}

func (s speaker) variable(v *types.Var) bool { return s.says(v.Type()) }

// member is about a field or a method: other packages' own names are theirs alone.
func (s speaker) member(m types.Object) bool {
	return (m.Exported() || m.Pkg() == s.main) && s.says(m.Type())
}

func every[T any](list iter.Seq[T], holds func(T) bool) bool {
	for x := range list {
		if !holds(x) {
			return false
		}
	}
	return true
}
