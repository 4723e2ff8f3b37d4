package effects

import "go/types"

// hasReferences reports whether values of a type may refer to other memory that can change. The memory of strings
// cannot.
func hasReferences(t types.Type) bool { return hasReferencesIn(t, map[types.Type]bool{}) }

func hasReferencesIn(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Array:
		return hasReferencesIn(u.Elem(), seen)
	case *types.Struct:
		for i := range u.NumFields() {
			if hasReferencesIn(u.Field(i).Type(), seen) {
				return true
			}
		}
		return false
	case *types.Tuple:
		for i := range u.Len() {
			if hasReferencesIn(u.At(i).Type(), seen) {
				return true
			}
		}
		return false
	}
	return true
}

// ChangesWhole reports whether a variable of type t has no memory that code could change through a copy of its value:
// t is a function type, error, or a type without references.
func ChangesWhole(t types.Type) bool {
	_, function := t.Underlying().(*types.Signature)
	return function || !hasReferences(t) || types.Identical(t, types.Universe.Lookup("error").Type())
}

// MayHoldError reports whether a value of type t may be or contain an error value, such as a sentinel error. depth is
// the number of levels of nested arrays and structs in which MayHoldError looks.
func MayHoldError(t types.Type, depth int) bool {
	errorType := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	if types.Implements(t, errorType) {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return true
	case *types.Array:
		return depth > 0 && MayHoldError(u.Elem(), depth-1)
	case *types.Struct:
		for f := range u.Fields() {
			if depth > 0 && MayHoldError(f.Type(), depth-1) {
				return true
			}
		}
	}
	return false
}
