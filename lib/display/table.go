package display

import (
	"cmp"
	"fmt"
	"html"
	"reflect"
	"slices"
	"strings"
)

const maxRows = 60 // of an HTML table; the rest is counted below it

// tableOf renders [][]string, and slices of structs with exported fields of
// simple types, as an HTML table. Types with a String method use it.
func tableOf(v any) (string, bool) {
	if rows, ok := v.([][]string); ok && len(rows) > 0 {
		return writeTable(nil, len(rows), func(i int) []tableEntry {
			entries := make([]tableEntry, len(rows[i]))
			for j, s := range rows[i] {
				entries[j] = tableEntry{text: s}
			}
			return entries
		}), true
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice && rv.Kind() != reflect.Array || rv.Len() == 0 {
		return "", false
	}
	fields, ok := columns(rv.Type().Elem())
	if !ok {
		return "", false
	}
	header := make([]tableEntry, len(fields))
	for i, f := range fields {
		header[i] = tableEntry{text: f.Name, right: isNumeric(f.Type)}
	}
	return writeTable(header, rv.Len(), func(i int) []tableEntry { return structRow(rv.Index(i), fields) }), true
}

// columns returns the fields to show, or false where a table would lose or
// obscure something: unexported or nested fields, or a String method.
func columns(t reflect.Type) ([]reflect.StructField, bool) {
	if hasText(t) || hasText(reflect.PointerTo(t)) {
		return nil, false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.NumField() == 0 || hasText(t) {
		return nil, false
	}
	fields := make([]reflect.StructField, t.NumField())
	for i := range fields {
		f := t.Field(i)
		if !f.IsExported() || f.Anonymous || !hasText(f.Type) && !isSimple(f.Type) {
			return nil, false
		}
		fields[i] = f
	}
	return fields, true
}

func hasText(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[fmt.Stringer]()) || t.Implements(reflect.TypeFor[error]())
}

func isSimple(t reflect.Type) bool {
	return t.Kind() == reflect.Bool || t.Kind() == reflect.String || isNumeric(t)
}

func isNumeric(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Complex128
}

func structRow(v reflect.Value, fields []reflect.StructField) []tableEntry {
	entries := make([]tableEntry, len(fields))
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			entries[0] = tableEntry{text: "nil"}
			return entries
		}
		v = v.Elem()
	}
	for i, f := range fields {
		entries[i] = tableEntry{text: fmt.Sprintf("%v", v.FieldByIndex(f.Index)), right: isNumeric(f.Type)}
	}
	return entries
}

type tableEntry struct {
	text  string
	right bool
}

func writeTable(header []tableEntry, n int, row func(int) []tableEntry) string {
	var b strings.Builder
	b.WriteString("<table>\n")
	if header != nil {
		b.WriteString("<thead>")
		writeRow(&b, "th", header)
		b.WriteString("</thead>\n")
	}
	b.WriteString("<tbody>\n")
	for i := range min(n, maxRows) {
		writeRow(&b, "td", row(i))
		b.WriteByte('\n')
	}
	b.WriteString("</tbody>\n</table>")
	if n > maxRows {
		fmt.Fprintf(&b, "\n<p>The first %d of %d rows.</p>", maxRows, n)
	}
	return b.String()
}

func writeRow(b *strings.Builder, element string, entries []tableEntry) {
	b.WriteString("<tr>")
	for _, c := range entries {
		style := ` style="text-align:left"`
		if c.right {
			style = ` style="text-align:right"`
		}
		fmt.Fprintf(b, "<%s%s>%s</%s>", element, style, html.EscapeString(c.text), element)
	}
	b.WriteString("</tr>")
}

// sortedKeys orders a map's keys: numbers by value, others by their text.
func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortStableFunc(keys, func(a, b reflect.Value) int {
		switch {
		case a.CanInt():
			return cmp.Compare(a.Int(), b.Int())
		case a.CanUint():
			return cmp.Compare(a.Uint(), b.Uint())
		case a.CanFloat():
			return cmp.Compare(a.Float(), b.Float())
		}
		return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return keys
}
