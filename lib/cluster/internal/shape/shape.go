// Package shape describes the structure of types, so that two builds of a program can tell
// whether values of one can be decoded by the other.
package shape

import (
	"fmt"
	"reflect"
	"strings"
)

// A Shape is the structure of a type.
type Shape struct {
	Text  string // description, which is equal for types of the same name and structure
	Plain bool   // whether the type contains no interface, func, chan or unsafe.Pointer
}

// Of returns the shape of t.
func Of(t reflect.Type) Shape {
	d := describer{plain: true, seen: make(map[reflect.Type]bool)}
	d.b.WriteString(t.String())
	d.b.WriteByte('\n')
	d.describe(t)
	return Shape{d.b.String(), d.plain}
}

// Name returns the name of the type whose Shape has the given Text.
func Name(text string) string {
	name, _, _ := strings.Cut(text, "\n")
	return name
}

type describer struct {
	b     strings.Builder
	plain bool
	seen  map[reflect.Type]bool
}

// describe appends a description of t. A type that occurs again is described by its name.
func (d *describer) describe(t reflect.Type) {
	if t.Name() != "" {
		fmt.Fprintf(&d.b, "%v ", t) // without the path: a notebook's cells are packages of other paths after a restart
		if d.seen[t] {
			return
		}
		d.seen[t] = true
	}
	fmt.Fprintf(&d.b, "%v", t.Kind())
	switch t.Kind() {
	case reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		d.plain = false
	case reflect.Array:
		fmt.Fprintf(&d.b, " %d of ", t.Len())
		d.describe(t.Elem())
	case reflect.Pointer, reflect.Slice:
		d.b.WriteString(" of ")
		d.describe(t.Elem())
	case reflect.Map:
		d.b.WriteString(" from ")
		d.describe(t.Key())
		d.b.WriteString(" to ")
		d.describe(t.Elem())
	case reflect.Struct:
		d.b.WriteString(" {")
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(&d.b, "%s: ", f.Name)
			d.describe(f.Type)
			d.b.WriteString("; ")
		}
		d.b.WriteString("}")
	}
}
