package values

import "reflect"

// A Rendering is one display of a value as text and as HTML. If a part of the value has a method that returns its
// text, the Rendering calls that method at most once, even if both forms need the text, since the method may be slow
// or have side effects. The zero Rendering is ready for use, for one value and one goroutine.
type Rendering struct {
	root  reflect.Value // the value, once it is known
	texts map[any]methodText
	maps  map[visit]mapEntries
}

// of returns the value of the rendering. It makes the fields of a struct and the elements of an array
// addressable.
func (r *Rendering) of(v any) reflect.Value {
	if r.root.IsValid() {
		return r.root
	}
	r.root = reflect.ValueOf(v)
	if k := r.root.Kind(); k == reflect.Struct || k == reflect.Array {
		c := reflect.New(r.root.Type()).Elem()
		c.Set(r.root)
		r.root = c
	}
	return r.root
}

// A methodText is the result of ownText. It keeps the value alive, so that no other value gets its address.
type methodText struct {
	value reflect.Value
	text  string
	ok    bool
}

// mapEntries is the result of sortedPairs. The forms show the same entries also if the map is changed meanwhile.
type mapEntries struct {
	pairs   []pair
	problem string
}

// A place identifies a value that is stored in a variable.
type place struct {
	pointer uintptr
	typ     reflect.Type
}

// identity returns a key that is the same only for the same value, or nil if there is no
// such key.
func identity(v reflect.Value) any {
	switch {
	case v.CanAddr() && v.Type().Size() > 0:
		return place{v.UnsafeAddr(), v.Type()}
	case v.Comparable():
		return v.Interface()
	}
	return nil
}

// ownText returns the text of a value's method Error, String, Format or MarshalText.
// It returns false if there is none, or if MarshalText fails.
func (r *Rendering) ownText(v reflect.Value) (text string, ok bool) {
	if !v.CanInterface() || v.Kind() == reflect.Interface || v.NumMethod() == 0 || !hasText(v.Type()) {
		return "", false
	}
	key := identity(v)
	if m, known := r.texts[key]; known && key != nil {
		return m.text, m.ok
	}
	text, ok = methodTextOf(v)
	if key != nil {
		if r.texts == nil {
			r.texts = map[any]methodText{}
		}
		r.texts[key] = methodText{v, text, ok}
	}
	return text, ok
}

// sortedPairs returns the entries of a map in the order of their keys: numbers by
// value, others by their text. Of a larger map it returns maxPairs arbitrary entries.
// problem is not empty if the map cannot be read.
func (r *Rendering) sortedPairs(m reflect.Value) (pairs []pair, problem string) {
	key := visitOf(m)
	if e, known := r.maps[key]; known {
		return e.pairs, e.problem
	}
	pairs, problem = r.readPairs(m)
	if r.maps == nil {
		r.maps = map[visit]mapEntries{}
	}
	r.maps[key] = mapEntries{pairs, problem}
	return pairs, problem
}
