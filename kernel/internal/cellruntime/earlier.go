package cellruntime

import (
	"fmt"
	"reflect"
	"sync"
)

// Limits of the results that are kept.
const (
	maxKept      = 100
	maxKeptBytes = 256 << 20
	maxVisited   = 10_000 // parts of a value that sizeOf visits
)

// earlier has the results of cells, for Out. It is a package variable since generated code
// has no argument for it.
var earlier results

type results struct {
	mu    sync.Mutex // guards what follows
	kept  []result   // oldest first
	bytes int
}

type result struct {
	cell, bytes int
	value       any
}

// Keep keeps the result of a cell for Out, if the result is one value, or one value and a nil error. It drops the
// oldest results when there are too many, or when they hold too much memory.
func Keep(cell int, values ...any) {
	if n := len(values); n == 2 && values[1] == nil {
		values = values[:1]
	}
	if cell > 0 && len(values) == 1 {
		earlier.keep(cell, values[0])
	}
}

// Earlier returns the result of a cell that Keep has kept. It panics if the result is not kept.
func Earlier(cell int) any {
	v, ok := earlier.get(cell)
	if !ok {
		panic(fmt.Errorf("Out[%[1]d] is not kept: the notebook keeps the last %[2]d results of cells, at most %[3]d MB, and %%reset out removes them; run cell %[1]d again", cell, maxKept, maxKeptBytes>>20))
	}
	return v
}

// DropEarlier drops the results of all cells. Out then has no results.
func DropEarlier() {
	earlier.mu.Lock()
	defer earlier.mu.Unlock()
	earlier.kept, earlier.bytes = nil, 0
}

func (r *results) keep(cell int, v any) {
	size := sizeOf(v)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, result{cell, size, v})
	r.bytes += size
	drop := 0
	for len(r.kept)-drop > maxKept || r.bytes > maxKeptBytes && drop < len(r.kept) {
		r.bytes -= r.kept[drop].bytes
		drop++
	}
	if drop > 0 {
		r.kept = append([]result(nil), r.kept[drop:]...)
	}
}

func (r *results) get(cell int) (any, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.kept) - 1; i >= 0; i-- {
		if r.kept[i].cell == cell {
			return r.kept[i].value, true
		}
	}
	return nil, false
}

// sizeOf estimates the memory that a value refers to, in bytes. For maps and large values the
// estimate is too low.
func sizeOf(v any) int {
	if v == nil {
		return 0
	}
	visits := maxVisited
	return int(reflect.TypeOf(v).Size()) + held(reflect.ValueOf(v), &visits, map[uintptr]bool{})
}

// held returns the size of the memory that a value refers to, in bytes.
func held(v reflect.Value, visits *int, seen map[uintptr]bool) int {
	if *visits--; *visits < 0 {
		return 0
	}
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Slice:
		if v.Len() == 0 || seen[v.Pointer()] {
			return 0
		}
		seen[v.Pointer()] = true
		return v.Cap()*int(v.Type().Elem().Size()) + elements(v, visits, seen)
	case reflect.Array:
		return elements(v, visits, seen)
	case reflect.Struct:
		n := 0
		for i := range v.NumField() {
			n += held(v.Field(i), visits, seen)
		}
		return n
	case reflect.Map:
		return v.Len() * int(v.Type().Key().Size()+v.Type().Elem().Size()) // does not visit the entries, which goroutines may be changing
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() || v.Kind() == reflect.Pointer && seen[v.Pointer()] {
			return 0
		}
		if v.Kind() == reflect.Pointer {
			seen[v.Pointer()] = true
		}
		return int(v.Elem().Type().Size()) + held(v.Elem(), visits, seen)
	}
	return 0
}

// elements returns the size of the memory that the elements of a slice or array refer to.
func elements(v reflect.Value, visits *int, seen map[uintptr]bool) int {
	switch v.Type().Elem().Kind() {
	case reflect.Slice, reflect.String, reflect.Map, reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Array:
	default:
		return 0
	}
	n := 0
	for i := 0; i < v.Len() && *visits > 0; i++ {
		n += held(v.Index(i), visits, seen)
	}
	return n
}
