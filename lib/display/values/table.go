package values

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of tables.
const (
	allRows     = 40 // a table of up to this many rows is shown in full
	firstRows   = 25 // of a longer table
	lastRows    = 10
	maxColumns  = 20
	maxCell     = 60  // characters of a table entry
	narrowCell  = 24  // the same, if the text form is too wide otherwise
	maxColWidth = 120 // characters of a row in the text form
)

// A table is a value in rows and columns.
type table struct {
	header []string // nil if the columns have no names
	right  []bool   // columns that are aligned to the right: numbers
	index  []string // index of each row; nil if it is not shown
	rows   [][]string
	before int    // how many of rows come before the omitted rows
	left   int    // number of omitted rows
	isGrid bool   // the value is a slice of slices
	note   string // line below the table: type, length, omitted columns
}

// tableOf returns a slice of structs, a slice of slices or a map as a table.
func (r *Rendering) tableOf(v reflect.Value) (*table, bool) {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		if _, ok := r.ownText(v); ok {
			return nil, false
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Map:
		return r.mapTable(v)
	case reflect.Slice, reflect.Array:
		if v.Len() == 0 {
			return nil, false
		}
		if _, ok := r.ownText(v); ok {
			return nil, false
		}
		if columns, ok := columnsOf(v.Type().Elem()); ok {
			return r.structTable(v, columns), true
		}
		return r.gridTable(v)
	}
	return nil, false
}

// choose returns the indices of the rows that are shown, of n rows.
func (t *table) choose(n int) []int {
	first, last := n, 0
	if n > allRows {
		first, last = firstRows, lastRows
	}
	t.before, t.left = first, n-first-last
	rows := make([]int, 0, first+last)
	for i := range first {
		rows = append(rows, i)
	}
	for i := n - last; i < n; i++ {
		rows = append(rows, i)
	}
	return rows
}

func (r *Rendering) mapTable(v reflect.Value) (*table, bool) {
	if v.Len() == 0 {
		return nil, false
	}
	if _, ok := r.ownText(v); ok {
		return nil, false
	}
	t := &table{header: []string{"key", "value"}, note: note(v)}
	t.right = []bool{isNumber(v.Type().Key()), isNumber(v.Type().Elem())}
	pairs, problem := r.sortedPairs(v)
	if problem != "" {
		t.rows, t.before = [][]string{{problem, ""}}, 1
		return t, true
	}
	path := []visit{visitOf(v)}
	for _, i := range t.choose(len(pairs)) {
		t.rows = append(t.rows, []string{r.cellText(pairs[i].key, path), r.cellText(pairs[i].value, path)})
	}
	if beyond := v.Len() - len(pairs); beyond > 0 {
		t.left += beyond
		t.note += ", of which " + thousands(len(pairs)) + " arbitrary entries were sorted"
	}
	return t, true
}

// A column is a field of a struct, or of a struct that is embedded in it.
type column struct {
	name  string
	index []int
	typ   reflect.Type
}

// columnsOf returns the columns of a table whose rows are of type t: a struct or
// a pointer to one, without a String method.
func columnsOf(t reflect.Type) ([]column, bool) {
	if hasText(t) {
		return nil, false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.NumField() == 0 || hasText(t) {
		return nil, false
	}
	return fieldColumns(t, nil, 0), true
}

func fieldColumns(t reflect.Type, at []int, depth int) []column {
	var list []column
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(at[:len(at):len(at)], i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Type.NumField() > 0 && !hasText(f.Type) && depth < 3 {
			list = append(list, fieldColumns(f.Type, index, depth+1)...)
			continue
		}
		if f.Name != "_" {
			list = append(list, column{f.Name, index, f.Type})
		}
	}
	return list
}

func (r *Rendering) structTable(v reflect.Value, columns []column) *table {
	t := &table{note: note(v), header: []string{}}
	shown := columns[:min(len(columns), maxColumns)]
	if n := len(columns) - len(shown); n > 0 {
		t.note += ", " + count(n, "column") + " not shown"
	}
	for _, c := range shown {
		t.header = append(t.header, c.name)
		t.right = append(t.right, isNumber(c.typ))
	}
	for _, i := range t.choose(v.Len()) {
		t.index = append(t.index, strconv.Itoa(i))
		t.rows = append(t.rows, r.structRow(v.Index(i), shown))
	}
	return t
}

func (r *Rendering) structRow(v reflect.Value, columns []column) []string {
	row := make([]string, len(columns))
	var path []visit
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			if len(row) > 0 {
				row[0] = "nil"
			}
			return row
		}
		path = []visit{visitOf(v)}
		v = v.Elem()
	}
	for i, c := range columns {
		f := v
		for _, at := range c.index {
			f = fieldOf(f, at)
		}
		row[i] = r.cellText(f, path)
	}
	return row
}

// gridTable returns a slice of slices of scalars as a grid.
func (r *Rendering) gridTable(v reflect.Value) (*table, bool) {
	et := v.Type().Elem()
	if et.Kind() != reflect.Slice && et.Kind() != reflect.Array || hasText(et) || !isScalar(et.Elem()) || et.Elem().Kind() == reflect.Uint8 {
		return nil, false
	}
	t := &table{isGrid: true}
	widest, least := 0, math.MaxInt
	for i := range min(v.Len(), 100_000) {
		widest, least = max(widest, v.Index(i).Len()), min(least, v.Index(i).Len())
	}
	if widest == 0 {
		return nil, false
	}
	shown := min(widest, maxColumns)
	for range shown {
		t.right = append(t.right, isNumber(et.Elem()))
	}
	for _, i := range t.choose(v.Len()) {
		row := make([]string, shown)
		for j := range min(shown, v.Index(i).Len()) {
			row[j] = r.cellText(v.Index(i).Index(j), nil)
		}
		t.index = append(t.index, strconv.Itoa(i))
		t.rows = append(t.rows, row)
	}
	t.note = typeText(v.Type()) + ", " + thousands(v.Len()) + " × " + thousands(widest)
	if least < widest {
		t.note = typeText(v.Type()) + ", " + thousands(v.Len()) + " × " + thousands(least) + " to " + thousands(widest)
	}
	if shown < widest {
		t.note += ", " + count(widest-shown, "column") + " not shown"
	}
	return t, true
}

// cellText returns the text of a value in a table: a string has no quotation marks.
func (r *Rendering) cellText(v reflect.Value, path []visit) string {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return "nil"
	}
	if _, ok := r.ownText(v); !ok {
		switch {
		case v.Kind() == reflect.String:
			return plainCell(v.String())
		case isNumber(v.Type()):
			return scalar(v, true)
		}
	}
	text, _ := r.oneLine(v, maxCell, path)
	return text
}

// plainCell returns a string for a table. It quotes only a string with characters that
// need an escape sequence.
func plainCell(s string) string {
	cut := s[:min(len(s), maxCell*utf8.UTFMax)]
	quoted := strconv.Quote(strings.ToValidUTF8(cut, "�"))
	if inner := quoted[1 : len(quoted)-1]; inner == cut || strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(inner) == cut {
		return clip(cut, maxCell)
	}
	return clip(quoted, maxCell)
}

func hasText(t reflect.Type) bool {
	for _, i := range textInterfaces {
		if t.Implements(i) {
			return true
		}
	}
	return false
}

// isScalar reports whether values of a type are shown without parts: booleans,
// strings, numbers, and types with a method that returns a text.
func isScalar(t reflect.Type) bool {
	return t.Kind() == reflect.Bool || t.Kind() == reflect.String || isNumber(t) || hasText(t)
}

// isNumber reports whether values of a type are numbers, which are aligned to the right.
func isNumber(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Complex128
}
