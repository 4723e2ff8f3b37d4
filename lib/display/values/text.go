package values

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the text form. They prevent one large value from filling the notebook
// file; fmt.Println shows everything.
const (
	lineWidth = 100       // characters of a line; a tree may exceed it by a little
	maxLines  = 40        // lines of a tree: a screen
	maxText   = 20 * 1024 // bytes of a string or of a method's text
	indent    = "  "
)

// Text returns the text form of a value: one line if the value fits on it, otherwise
// at most a screen whose last line has the type and length.
func Text(v any) string { return new(Rendering).Text(v) }

// Text returns the text form of the value, as the function [Text] does.
func (r *Rendering) Text(v any) string {
	if v == nil {
		return "nil"
	}
	var text string
	if problem := guarded(func() { text = r.fullText(r.of(v)) }); problem != "" {
		return TypeName(v) + " " + problem
	}
	return text
}

// Short returns a value in one line of at most width characters.
func Short(v any, width int) string {
	if v == nil {
		return "nil"
	}
	var text string
	if problem := guarded(func() { text, _ = new(Rendering).oneLine(reflect.ValueOf(v), width, nil) }); problem != "" {
		return clip(problem, width)
	}
	return text
}

// TypeName returns the type of a value, and "nil" for nil.
func TypeName(v any) string {
	if v == nil {
		return "nil"
	}
	return typeText(reflect.TypeOf(v))
}

// typeText returns the name of a type, with any for interface {}.
func typeText(t reflect.Type) string { return strings.ReplaceAll(t.String(), "interface {}", "any") }

// Size returns the size of a value, such as "3 elements", "1 entry", "5 bytes" or
// "2 fields". It returns "" for a value without such parts.
func Size(v any) string {
	if v == nil {
		return ""
	}
	return sizeOf(reflect.ValueOf(v))
}

func sizeOf(v reflect.Value) string {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		return count(v.Len(), "element")
	case reflect.Map:
		if v.Len() == 1 {
			return "1 entry"
		}
		return thousands(v.Len()) + " entries"
	case reflect.String:
		return count(v.Len(), "byte")
	case reflect.Struct:
		return count(v.NumField(), "field")
	}
	return ""
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(n) + " " + noun
}

// note returns the line with the type and length of a value.
func note(v reflect.Value) string {
	if size := sizeOf(v); size != "" {
		return typeText(v.Type()) + ", " + size
	}
	return typeText(v.Type())
}

func (r *Rendering) fullText(v reflect.Value) string {
	if text, ok := r.ownText(v); ok {
		return truncate(text)
	}
	if v.Kind() == reflect.String {
		return quotedText(v.String())
	}
	if isBytes(v) && v.Len() > 0 {
		text, _ := bytesText(v, maxText)
		return text
	}
	if t, ok := r.tableOf(v); ok {
		if v.Kind() == reflect.Map || t.isGrid {
			if text, whole := r.oneLine(v, lineWidth, nil); whole && (!t.isGrid || len(t.rows) < 2) {
				return text
			}
		}
		return t.text()
	}
	text, whole := r.oneLine(v, lineWidth, nil)
	if whole || !isComposite(v) {
		return text
	}
	w := &tree{Rendering: r}
	w.node("", v, maxLines, 0)
	return strings.Join(w.lines, "\n") + "\n" + note(v)
}

// isComposite reports whether a value, or the one that it points to, is a struct,
// slice, array or map.
func isComposite(v reflect.Value) bool {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return false
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return true
	}
	return false
}

// truncate cuts the text of a method to maxText bytes.
func truncate(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + fmt.Sprintf(" … (%d bytes in all)", len(s))
}

// quotedText returns a string as a Go literal: a raw one if it has several lines.
func quotedText(s string) string {
	rest := ""
	if len(s) > maxText {
		n := len(s)
		s = strings.ToValidUTF8(s[:maxText], "")
		rest = fmt.Sprintf(" … (%d bytes in all)", n)
	}
	if strings.Contains(s, "\n") && isBackquotable(s) {
		return "`" + s + "`" + rest
	}
	return strconv.Quote(s) + rest
}

// isBackquotable reports whether a raw string literal can hold s unchanged.
func isBackquotable(s string) bool {
	for _, r := range s {
		if r == '`' || r == utf8.RuneError || r == '\ufeff' || !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			return false
		}
	}
	return true
}
