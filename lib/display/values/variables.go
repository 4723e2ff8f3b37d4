package values

import (
	"fmt"
	"reflect"
)

// A Variable describes a variable for [Variables].
type Variable struct {
	Name, Type string
	Pointer    any // a pointer to the variable
}

// A Listing is a table of variables, as text and as HTML.
type Listing struct{ table *table }

// Variables lists variables with their types, sizes and values.
func Variables(list ...Variable) *Listing {
	t := &table{header: []string{"name", "type", "size", "value"}, right: make([]bool, 4), before: len(list), note: count(len(list), "variable")}
	for _, v := range list {
		var size, value string
		problem := guarded(func() {
			x := reflect.ValueOf(v.Pointer).Elem()
			size, value = memoryText(x), new(Rendering).cellText(x, nil)
		})
		if problem != "" {
			value = problem
		}
		t.rows = append(t.rows, []string{v.Name, clip(v.Type, 40), size, value})
	}
	return &Listing{t}
}

// String returns the table as text.
func (l *Listing) String() string { return l.table.text() }

// HTML returns the table as HTML.
func (l *Listing) HTML() string { return l.table.html() }

// memoryText returns the number of a value's parts and the size of its memory. The
// memory includes the elements of a slice, map or string, but nothing that these
// refer to.
func memoryText(v reflect.Value) string {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	bytes, parts := int(v.Type().Size()), ""
	switch v.Kind() {
	case reflect.Slice:
		bytes, parts = v.Len()*int(v.Type().Elem().Size()), sizeOf(v)
	case reflect.Map:
		bytes, parts = v.Len()*int(v.Type().Key().Size()+v.Type().Elem().Size()), sizeOf(v)
	case reflect.String:
		bytes = v.Len()
	case reflect.Array:
		parts = sizeOf(v)
	}
	if parts != "" {
		return parts + ", " + bytesText1024(bytes)
	}
	return bytesText1024(bytes)
}

// bytesText1024 formats an amount of memory in powers of 1,024, such as "1.5 KiB".
func bytesText1024(n int) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	x, unit := float64(n), 0
	for x >= 1024 && unit < 4 {
		x, unit = x/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", x, " KMGT"[unit])
}
