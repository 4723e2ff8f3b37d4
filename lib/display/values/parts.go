package values

import (
	"reflect"
	"strconv"
)

// A node is a composite value and its parts, for a tree.
type node struct {
	*Rendering
	open, close string  // the text before and after the parts
	path        []visit // this value and those that contain it
	parts       []part  // the parts that are shown
	before      int     // how many of them come before the omitted parts
	left        int     // number of omitted parts
	noun        string  // "field", "element" or "entr", for a note on the omitted parts
}

// A part is a field, an element or an entry.
type part struct {
	label string
	value reflect.Value
}

// nodeOf returns the parts of a value, of which at most n are shown: the first
// and, if some are left out, a few of the last. It returns false for a value
// without parts, and for one with a String method.
func (r *Rendering) nodeOf(v reflect.Value, n int, path []visit) (*node, bool) {
	d := &node{Rendering: r, path: path}
	for {
		if !v.IsValid() || isCycle(d.path, v) {
			return nil, false
		}
		if _, ok := r.ownText(v); ok || isBytes(v) {
			return nil, false
		}
		if v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
			break
		}
		if v.IsNil() || len(d.path) > 100 {
			return nil, false
		}
		if v.Kind() == reflect.Pointer {
			d.open += "&"
			d.path = append(d.path[:len(d.path):len(d.path)], visitOf(v))
		}
		v = v.Elem()
	}
	d.path = append(d.path[:len(d.path):len(d.path)], visitOf(v))
	switch v.Kind() {
	case reflect.Struct:
		d.fields(v, n)
	case reflect.Slice, reflect.Array:
		d.elements(v, n)
	case reflect.Map:
		d.entries(v, n)
	default:
		return nil, false
	}
	return d, len(d.parts) > 0
}

// choose fills d.parts with at most n of the parts, including a line on those that
// are omitted. all is their number, and get returns one of them.
func (d *node) choose(all, n int, noun string, get func(i int) part) {
	d.noun = noun
	if all <= n {
		d.before = all
		for i := range all {
			d.parts = append(d.parts, get(i))
		}
		return
	}
	n = max(n-1, 1) // a line tells how many are omitted
	last := n / 4
	d.before, d.left = n-last, all-n
	for i := range n - last {
		d.parts = append(d.parts, get(i))
	}
	for i := all - last; i < all; i++ {
		d.parts = append(d.parts, get(i))
	}
}

func (d *node) fields(v reflect.Value, n int) {
	d.open, d.close = d.open+"{", "}"
	d.choose(v.NumField(), n, "field", func(i int) part {
		return part{v.Type().Field(i).Name, fieldOf(v, i)}
	})
}

func (d *node) elements(v reflect.Value, n int) {
	d.open, d.close = d.open+"[", "]"
	d.choose(v.Len(), n, "element", func(i int) part { return part{strconv.Itoa(i), v.Index(i)} })
}

func (d *node) entries(v reflect.Value, n int) {
	d.open, d.close = d.open+"map[", "]"
	pairs, _ := d.sortedPairs(v)
	d.choose(len(pairs), n, "entr", func(i int) part {
		label, _ := d.oneLine(pairs[i].key, 40, nil)
		return part{label, pairs[i].value}
	})
	d.left += v.Len() - len(pairs)
}

// leftText returns the line on the number of omitted parts.
func (d *node) leftText() string {
	if d.noun == "entr" {
		if d.left == 1 {
			return "… 1 more entry"
		}
		return "… " + thousands(d.left) + " more entries"
	}
	noun := d.noun
	if d.left != 1 {
		noun += "s"
	}
	return "… " + thousands(d.left) + " more " + noun
}
