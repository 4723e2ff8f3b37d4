package values

import (
	"cmp"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"unsafe"
)

// fieldOf returns a field of a struct as a value whose methods can be called, even if
// the field is unexported.
func fieldOf(v reflect.Value, i int) reflect.Value {
	if f := v.Field(i); f.CanInterface() {
		return f
	}
	if !v.CanAddr() {
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		v = c
	}
	f := v.Field(i)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// guarded calls f and returns a panic of f as a problem. Other goroutines may change
// the values that f reads at the same time, so f may read a length and a pointer that
// do not belong together. SetPanicOnFault turns the resulting fault into a panic.
func guarded(f func()) (problem string) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		if p := recover(); p != nil {
			problem = "[it cannot be shown: " + panicText(p) + "]"
		}
	}()
	f()
	return ""
}

// panicText returns the text of a panic's value.
func panicText(p any) (text string) {
	defer func() {
		if recover() != nil {
			text = "a panic whose value has no text"
		}
	}()
	switch p := p.(type) {
	case error:
		return p.Error()
	case string:
		return p
	}
	text, _ = new(Rendering).oneLine(reflect.ValueOf(p), 200, nil)
	return text
}

// A pair is an entry of a map.
type pair struct {
	key, value reflect.Value
	rank       int    // keys of different kinds are sorted by rank
	text       string // keys that are not numbers are sorted by text
}

// maxPairs is the maximum number of entries of a map that are read and sorted.
const maxPairs = 2000

// readMap calls f, which reads a map. The function that SetMapReader sets prevents other
// goroutines from writing the map meanwhile; the default does not.
var readMap = func(_ reflect.Value, f func()) bool { f(); return true }

// SetMapReader sets the function that reads a map. The Go runtime ends a program that
// reads a map while another goroutine writes it, so the reader must prevent that. The
// reader calls f, which reads m and does not allocate, or returns false if the map cannot
// be read now. SetMapReader must not be called concurrently with other functions of this
// package.
func SetMapReader(reader func(m reflect.Value, f func()) bool) { readMap = reader }

// readPairs does the work of sortedPairs.
func (r *Rendering) readPairs(m reflect.Value) (pairs []pair, problem string) {
	if m.Len() == 0 {
		return nil, ""
	}
	n, count := min(m.Len(), maxPairs), 0
	keys := reflect.MakeSlice(reflect.SliceOf(m.Type().Key()), n, n)
	elems := reflect.MakeSlice(reflect.SliceOf(m.Type().Elem()), n, n)
	pairs = make([]pair, n)
	for i := range pairs {
		pairs[i] = pair{key: keys.Index(i), value: elems.Index(i)}
	}
	it := m.MapRange()
	ok := readMap(m, func() {
		for count = 0; count < n && it.Next(); count++ {
			pairs[count].key.SetIterKey(it)
			pairs[count].value.SetIterValue(it)
		}
	})
	if !ok {
		return nil, "… (being changed)"
	}
	pairs = pairs[:count]
	for i := range pairs {
		pairs[i].prepare(r)
	}
	slices.SortStableFunc(pairs, comparePairs)
	return pairs, ""
}

// prepare computes the rank and text by which a key is sorted.
func (p *pair) prepare(r *Rendering) {
	k := p.key
	for k.Kind() == reflect.Interface && !k.IsNil() {
		k = k.Elem()
	}
	p.key = k
	switch {
	case k.CanInt(), k.CanUint(), k.CanFloat():
		p.rank = 1 + int(k.Kind())
	case k.Kind() == reflect.String:
		p.rank, p.text = 100, k.String()
	default:
		p.rank = 101
		p.text, _ = r.oneLine(k, 60, nil)
	}
}

func comparePairs(a, b pair) int {
	if a.rank != b.rank {
		return cmp.Compare(a.rank, b.rank)
	}
	switch {
	case a.rank > 99:
		return strings.Compare(a.text, b.text)
	case a.key.CanInt():
		return cmp.Compare(a.key.Int(), b.key.Int())
	case a.key.CanUint():
		return cmp.Compare(a.key.Uint(), b.key.Uint())
	}
	return cmp.Compare(a.key.Float(), b.key.Float())
}
