package typetext

import (
	"go/types"
	"iter"
)

// A namer checks which types source of package main can name.
type namer struct {
	main *types.Package
	seen map[types.Type]bool // guards recursion
}

// nameable reports whether source of package main can name t: all types, fields and methods that t
// mentions are exported or declared in main, and none is declared inside a function.
func nameable(t types.Type, main *types.Package) bool {
	return namer{main, map[types.Type]bool{}}.nameable(t)
}

func (n namer) nameable(t types.Type) bool {
	if n.seen[t] {
		return true
	}
	n.seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		return n.named(t.Obj(), t.TypeArgs())
	case *types.Alias:
		return n.named(t.Obj(), t.TypeArgs())
	case *types.Map:
		return n.nameable(t.Key()) && n.nameable(t.Elem())
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		return n.nameable(t.Elem())
	case *types.Signature:
		return every(t.Params().Variables(), n.variable) && every(t.Results().Variables(), n.variable)
	case *types.Struct:
		return every(t.Fields(), func(f *types.Var) bool { return n.member(f) })
	case *types.Interface:
		return every(t.ExplicitMethods(), func(m *types.Func) bool { return n.member(m) }) && every(t.EmbeddedTypes(), n.nameable)
	}
	return true
}

func (n namer) named(obj *types.TypeName, args *types.TypeList) bool {
	if !every(args.Types(), n.nameable) {
		return false
	}
	switch {
	case obj.Pkg() == nil:
		return true
	case obj.Pkg() == n.main:
		return obj.Parent() == n.main.Scope()
	}
	return obj.Exported() && obj.Parent() == obj.Pkg().Scope()
}

func (n namer) variable(v *types.Var) bool { return n.nameable(v.Type()) }

// member reports whether main can name a field or a method. It cannot name unexported fields and methods of other
// packages.
func (n namer) member(m types.Object) bool {
	return (m.Exported() || m.Pkg() == n.main) && n.nameable(m.Type())
}

func every[T any](list iter.Seq[T], holds func(T) bool) bool {
	for x := range list {
		if !holds(x) {
			return false
		}
	}
	return true
}
