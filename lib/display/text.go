package display

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the text form. They keep a careless last expression from filling
// the notebook file; fmt.Println shows everything.
const (
	maxElements = 100       // of one slice or map
	maxDepth    = 10        // of nesting
	maxText     = 20 * 1024 // bytes of all, and of one string
)

// Text is the text form of a value, as described at [Render].
func Text(v any) string {
	if v == nil {
		return "nil"
	}
	p := printer{}
	p.value(reflect.ValueOf(v), 0)
	return p.b.String()
}

// A printer writes values as fmt's %+v does, with strings quoted, maps in order
// of their printed keys, and limits.
type printer struct {
	b    strings.Builder
	path []uintptr // pointers that are being followed
}

func (p *printer) value(v reflect.Value, depth int) {
	if p.isFull() || !v.IsValid() {
		if !v.IsValid() {
			p.b.WriteString("nil")
		}
		return
	}
	if p.method(v, depth) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		p.quoted(v.String(), depth == 0)
	case reflect.Struct:
		p.fields(v, depth)
	case reflect.Slice, reflect.Array:
		p.elements(v, depth)
	case reflect.Map:
		p.entries(v, depth)
	case reflect.Pointer:
		p.pointer(v, depth)
	case reflect.Interface:
		p.value(v.Elem(), depth)
	case reflect.Func:
		p.reference(v, v.Type().String())
	case reflect.Chan:
		p.channel(v)
	default:
		p.b.WriteString(scalar(v))
	}
}

// isFull reports whether the limit is reached. Its caller writes a note.
func (p *printer) isFull() bool { return p.b.Len() > maxText }

// method writes the value's own text. Methods of unexported fields' values
// cannot be called; fmt does not either.
func (p *printer) method(v reflect.Value, depth int) bool {
	if !v.CanInterface() || v.Kind() == reflect.Interface {
		return false
	}
	switch v.Interface().(type) {
	case error, fmt.Stringer, fmt.Formatter:
	default:
		return false
	}
	if v.Kind() == reflect.Pointer && v.IsNil() {
		p.b.WriteString("nil")
		return true
	}
	text := fmt.Sprintf("%v", v.Interface())
	if depth == 0 && len(text) > maxText {
		text = truncate(text)
	}
	p.b.WriteString(text)
	return true
}

func (p *printer) quoted(s string, top bool) {
	rest := ""
	if len(s) > maxText {
		n := len(s)
		s = strings.ToValidUTF8(s[:maxText], "")
		rest = fmt.Sprintf(" … (%d bytes in all)", n)
	}
	if top && strings.Contains(s, "\n") && isBackquotable(s) {
		p.b.WriteString("`" + s + "`" + rest)
		return
	}
	p.b.WriteString(strconv.Quote(s) + rest)
}

// isBackquotable reports whether s reads unchanged as a raw literal.
func isBackquotable(s string) bool {
	for _, r := range s {
		if r == '`' || r == utf8.RuneError || r == '\ufeff' || !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			return false
		}
	}
	return true
}

func (p *printer) fields(v reflect.Value, depth int) {
	if depth >= maxDepth {
		p.b.WriteString("{…}")
		return
	}
	p.b.WriteByte('{')
	for i := range v.NumField() {
		if i > 0 {
			p.b.WriteByte(' ')
		}
		p.b.WriteString(v.Type().Field(i).Name + ":")
		p.value(v.Field(i), depth+1)
	}
	p.b.WriteByte('}')
}

func (p *printer) elements(v reflect.Value, depth int) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 && v.Len() > 0 {
		p.bytes(v.Bytes())
		return
	}
	if depth >= maxDepth {
		p.b.WriteString("[…]")
		return
	}
	p.b.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			p.b.WriteByte(' ')
		}
		if i == maxElements && v.Len() > maxElements+maxElements/10 || p.isFull() {
			fmt.Fprintf(&p.b, "… (%d more of %d)", v.Len()-i, v.Len())
			break
		}
		p.element(v.Index(i), depth+1)
	}
	p.b.WriteByte(']')
}

func (p *printer) bytes(b []byte) {
	if utf8.Valid(b) && !strings.ContainsFunc(string(b), func(r rune) bool {
		return !unicode.IsPrint(r) && !unicode.IsSpace(r)
	}) {
		p.b.WriteString("[]byte(")
		p.quoted(string(b), false)
		p.b.WriteByte(')')
		return
	}
	p.b.WriteString("[]byte{")
	for i, c := range b {
		if i > 0 {
			p.b.WriteString(", ")
		}
		if i == maxElements && len(b) > maxElements {
			fmt.Fprintf(&p.b, "… (%d more of %d)", len(b)-i, len(b))
			break
		}
		fmt.Fprintf(&p.b, "%#02x", c)
	}
	p.b.WriteByte('}')
}

func (p *printer) entries(v reflect.Value, depth int) {
	if depth >= maxDepth {
		p.b.WriteString("map[…]")
		return
	}
	p.b.WriteString("map[")
	for i, key := range sortedKeys(v) {
		if i > 0 {
			p.b.WriteByte(' ')
		}
		if i == maxElements && v.Len() > maxElements+maxElements/10 || p.isFull() {
			fmt.Fprintf(&p.b, "… (%d more of %d)", v.Len()-i, v.Len())
			break
		}
		p.value(key, depth+1)
		p.b.WriteByte(':')
		p.element(v.MapIndex(key), depth+1)
	}
	p.b.WriteByte(']')
}

// element writes what a slice or map holds. A []*T is mostly meant as a list of
// its structs.
func (p *printer) element(v reflect.Value, depth int) {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct ||
		slices.Contains(p.path, v.Pointer()) || p.isFull() {
		p.value(v, depth)
		return
	}
	if !p.method(v, depth) {
		p.dereference(v, depth)
	}
}

// pointer follows a pointer at the top, as fmt does; those in fields may lead
// anywhere and are written as their type and address.
func (p *printer) pointer(v reflect.Value, depth int) {
	if v.IsNil() {
		p.b.WriteString("nil")
		return
	}
	switch v.Elem().Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		if depth == 0 {
			p.dereference(v, depth)
			return
		}
	}
	p.reference(v, v.Type().String())
}

func (p *printer) dereference(v reflect.Value, depth int) {
	p.path = append(p.path, v.Pointer())
	p.b.WriteByte('&')
	p.value(v.Elem(), depth+1)
	p.path = p.path[:len(p.path)-1]
}

func (p *printer) reference(v reflect.Value, typ string) {
	if v.IsNil() {
		p.b.WriteString("nil")
		return
	}
	fmt.Fprintf(&p.b, "(%s)(%#x)", typ, v.Pointer())
}

func (p *printer) channel(v reflect.Value) {
	if v.IsNil() {
		p.b.WriteString("nil")
		return
	}
	fmt.Fprintf(&p.b, "(%s, %d of %d)", v.Type(), v.Len(), v.Cap())
}

// scalar writes numbers and booleans, which fmt prints also for unexported fields.
func scalar(v reflect.Value) string { return fmt.Sprintf("%v", v) }

func truncate(s string) string {
	return strings.ToValidUTF8(s[:maxText], "") + fmt.Sprintf(" … (%d bytes in all)", len(s))
}
