package typetext

import "go/types"

// HasTypeParam reports whether a type depends on a type parameter.
func HasTypeParam(t types.Type) bool { return hasTypeParam(t, map[types.Type]bool{}) }

func hasTypeParam(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	_, found := t.(*types.TypeParam)
	EachPart(t, func(t types.Type) { found = found || hasTypeParam(t, seen) })
	return found
}

// EachPart calls f with each type of which t is directly composed.
func EachPart(t types.Type, f func(types.Type)) {
	tuple := func(t *types.Tuple) {
		for v := range t.Variables() {
			f(v.Type())
		}
	}
	switch t := t.(type) {
	case *types.Alias:
		f(types.Unalias(t))
	case *types.Named:
		for a := range t.TypeArgs().Types() {
			f(a)
		}
	case *types.Pointer:
		f(t.Elem())
	case *types.Slice:
		f(t.Elem())
	case *types.Array:
		f(t.Elem())
	case *types.Chan:
		f(t.Elem())
	case *types.Map:
		f(t.Key())
		f(t.Elem())
	case *types.Tuple:
		tuple(t)
	case *types.Signature:
		tuple(t.Params())
		tuple(t.Results())
	case *types.Struct:
		for v := range t.Fields() {
			f(v.Type())
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			f(m.Type())
		}
		for e := range t.EmbeddedTypes() {
			f(e)
		}
	case *types.Union:
		for u := range t.Terms() {
			f(u.Type())
		}
	}
}
