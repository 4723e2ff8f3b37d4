package codec

import "reflect"

// isPortable reports whether a type has the same encoding in all programs: it is one of
// basicTypes.
func isPortable(t reflect.Type) bool {
	for _, known := range basicTypes {
		if t == known {
			return true
		}
	}
	return false
}

// HoldsInterface returns the first interface type that a type contains, or nil; pointer is a
// pointer to that type. An interface may hold a value of a type that only this program has.
//
//go:noinline
func HoldsInterface(pointer any) reflect.Type {
	return interfaceIn(reflect.TypeOf(pointer).Elem(), map[reflect.Type]bool{})
}

func interfaceIn(t reflect.Type, seen map[reflect.Type]bool) reflect.Type {
	if seen[t] || encodesItself(t) {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return t
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return interfaceIn(t.Elem(), seen)
	case reflect.Map:
		if part := interfaceIn(t.Key(), seen); part != nil {
			return part
		}
		return interfaceIn(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if part := interfaceIn(t.Field(i).Type, seen); part != nil {
				return part
			}
		}
	}
	return nil
}
