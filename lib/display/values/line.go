package values

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of one line.
const (
	maxLineDepth = 10  // of nesting
	maxElements  = 100 // of one slice or map
)

// A line writes a value in one line: fields as {X:1 Y:2}, elements as [1 2], maps
// as map[k:v] in the order of their keys, strings quoted.
type line struct {
	*Rendering
	b    strings.Builder
	max  int     // limit in bytes; b may exceed it by one part
	cut  bool    // part of the value is not shown
	path []visit // the composite values that contain the one being written
}

// A visit identifies a pointer, map or slice, to detect cycles.
type visit struct {
	pointer uintptr
	length  int // of a slice
	typ     reflect.Type
}

// oneLine returns v in one line of at most width characters. whole reports whether
// the line shows all of v. path holds the values that contain v.
func (r *Rendering) oneLine(v reflect.Value, width int, path []visit) (text string, whole bool) {
	l := &line{Rendering: r, max: width, path: path}
	l.value(v, 0)
	text = l.b.String()
	if strings.ContainsAny(text, "\n\r") {
		text, l.cut = strings.NewReplacer("\r\n", "⏎", "\n", "⏎", "\r", "⏎").Replace(text), true
	}
	if utf8.RuneCountInString(text) > width {
		return clip(text, width), false
	}
	return text, !l.cut
}

// clip cuts text to width characters, the last of which is an ellipsis.
func clip(text string, width int) string {
	if width < 1 || utf8.RuneCountInString(text) <= width {
		return text
	}
	n := 0
	for i := range text {
		if n++; n == width {
			return text[:i] + "…"
		}
	}
	return text
}

func (l *line) isFull() bool {
	l.cut = l.cut || l.b.Len() > l.max
	return l.b.Len() > l.max
}

func (l *line) value(v reflect.Value, depth int) {
	if !v.IsValid() {
		l.b.WriteString("nil")
		return
	}
	if l.isFull() {
		return
	}
	if text, ok := l.ownText(v); ok {
		l.b.WriteString(bounded(text, l.max+1))
		return
	}
	switch v.Kind() {
	case reflect.String:
		l.quoted(v.String())
	case reflect.Struct:
		l.fields(v, depth)
	case reflect.Slice, reflect.Array:
		l.slice(v, depth)
	case reflect.Map:
		l.entries(v, depth)
	case reflect.Pointer:
		l.pointer(v, depth)
	case reflect.Interface:
		l.value(v.Elem(), depth)
	default:
		l.b.WriteString(scalar(v, depth > 0))
	}
}

func (l *line) quoted(s string) {
	if len(s) > l.max {
		n := len(s)
		s, l.cut = strings.ToValidUTF8(s[:l.max], ""), true
		l.b.WriteString(strconv.Quote(s) + fmt.Sprintf("… (%d bytes)", n))
		return
	}
	l.b.WriteString(strconv.Quote(s))
}

// enter begins a composite value. If the value is nested too deep or contains itself,
// enter writes the ellipsis or a note on the cycle, and returns false.
func (l *line) enter(v reflect.Value, depth int, ellipsis string) bool {
	switch {
	case depth >= maxLineDepth:
		l.b.WriteString(ellipsis)
		l.cut = true
		return false
	case isCycle(l.path, v):
		l.b.WriteString(cycleText(v))
		return false
	}
	l.path = append(l.path, visitOf(v))
	return true
}

func (l *line) leave() { l.path = l.path[:len(l.path)-1] }

func (l *line) fields(v reflect.Value, depth int) {
	if !l.enter(v, depth, "{…}") {
		return
	}
	defer l.leave()
	l.b.WriteByte('{')
	for i := range v.NumField() {
		if i > 0 {
			l.b.WriteByte(' ')
		}
		if l.isFull() {
			l.b.WriteString("…")
			break
		}
		l.b.WriteString(v.Type().Field(i).Name + ":")
		l.value(fieldOf(v, i), depth+1)
	}
	l.b.WriteByte('}')
}

func (l *line) slice(v reflect.Value, depth int) {
	if isBytes(v) && v.Len() > 0 {
		text, whole := bytesText(v, l.max)
		l.cut = l.cut || !whole
		l.b.WriteString(text)
		return
	}
	if !l.enter(v, depth, "[…]") {
		return
	}
	defer l.leave()
	l.b.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			l.b.WriteByte(' ')
		}
		if i >= maxElements || l.isFull() {
			l.more(i, v.Len())
			break
		}
		l.value(v.Index(i), depth+1)
	}
	l.b.WriteByte(']')
}

func (l *line) more(shown, all int) {
	fmt.Fprintf(&l.b, "… (%s more of %s)", thousands(all-shown), thousands(all))
	l.cut = true
}

func (l *line) entries(v reflect.Value, depth int) {
	if !l.enter(v, depth, "map[…]") {
		return
	}
	defer l.leave()
	pairs, problem := l.sortedPairs(v)
	l.b.WriteString("map[" + problem)
	for i, p := range pairs {
		if i > 0 {
			l.b.WriteByte(' ')
		}
		if i >= maxElements || l.isFull() {
			l.more(i, v.Len())
			break
		}
		l.value(p.key, depth+1)
		l.b.WriteByte(':')
		l.value(p.value, depth+1)
	}
	l.cut = l.cut || len(pairs) < v.Len()
	l.b.WriteByte(']')
}

func (l *line) pointer(v reflect.Value, depth int) {
	if v.IsNil() {
		l.b.WriteString("nil")
		return
	}
	if !l.enter(v, depth, "&…") {
		return
	}
	defer l.leave()
	l.b.WriteByte('&')
	l.value(v.Elem(), depth+1)
}

// visitOf returns the identity of a pointer, map or slice, and the zero visit for
// other values, which contain themselves only through one of these.
func visitOf(v reflect.Value) visit {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map:
		return visit{v.Pointer(), 0, v.Type()}
	case reflect.Slice:
		return visit{v.Pointer(), v.Len(), v.Type()}
	}
	return visit{}
}

func isCycle(path []visit, v reflect.Value) bool {
	at := visitOf(v)
	if at.typ == nil || at.pointer == 0 || v.Kind() == reflect.Slice && at.length == 0 {
		return false
	}
	for _, p := range path {
		if p == at {
			return true
		}
	}
	return false
}

func cycleText(v reflect.Value) string { return "(cycle: " + typeText(v.Type()) + ")" }

// scalar returns the text of a value without parts. Within a composite value,
// floating-point numbers have 6 digits.
func scalar(v reflect.Value, short bool) string {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		if short {
			return floatText(v.Float())
		}
	case reflect.Complex64, reflect.Complex128:
		if short {
			return fmt.Sprintf("%.6g", v.Complex())
		}
	case reflect.Func, reflect.UnsafePointer:
		if v.Pointer() == 0 {
			return "nil"
		}
		return fmt.Sprintf("(%s)(%#x)", typeText(v.Type()), v.Pointer())
	case reflect.Chan:
		if v.IsNil() {
			return "nil"
		}
		return fmt.Sprintf("(%s, %d of %d)", typeText(v.Type()), v.Len(), v.Cap())
	}
	return fmt.Sprintf("%v", v)
}

// floatText writes whole numbers in full and others with 6 significant digits.
func floatText(x float64) string {
	if x == float64(int64(x)) && x > -1e15 && x < 1e15 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// methodTextOf does the work of ownText for a type that has one of the methods.
func methodTextOf(v reflect.Value) (text string, ok bool) {
	x := v.Interface()
	switch x := x.(type) {
	case error, fmt.Stringer, fmt.Formatter:
	case encoding.TextMarshaler:
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return "nil", true
		}
		return marshaled(x)
	default:
		return "", false
	}
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return "nil", true
	}
	return fmt.Sprintf("%v", x), true
}

// marshaled returns the text of MarshalText. It returns false if the method fails or
// panics, or if the text is not UTF-8.
func marshaled(x encoding.TextMarshaler) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	b, err := x.MarshalText()
	return string(b), err == nil && utf8.Valid(b)
}

// bounded cuts the text of a method to n bytes.
func bounded(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

func isBytes(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 && v.Type().Elem().NumMethod() == 0
}

// bytesText returns bytes as a string if they are printable text, otherwise as
// numbers. whole reports whether it shows all of them.
func bytesText(v reflect.Value, width int) (text string, whole bool) {
	b, n := v.Bytes(), v.Len()
	b = b[:min(n, max(width, 1))]
	if shown := b; isText(&shown) {
		text = "[]byte(" + strconv.Quote(string(shown)) + ")"
		if len(shown) < n {
			return text + fmt.Sprintf("… (%s bytes)", thousands(n)), false
		}
		return text, true
	}
	var out strings.Builder
	out.WriteString("[]byte{")
	for i, c := range b {
		if i > 0 {
			out.WriteString(", ")
		}
		if i == maxElements || out.Len() > width {
			fmt.Fprintf(&out, "… (%s more of %s)}", thousands(n-i), thousands(n))
			return out.String(), false
		}
		fmt.Fprintf(&out, "%#02x", c)
	}
	return out.String() + "}", len(b) == n
}

// isText reports whether *b is printable text. It removes an incomplete character
// from the end.
func isText(b *[]byte) bool {
	s := *b
	for i := 0; i < utf8.UTFMax-1 && len(s) > 0 && !utf8.Valid(s); i++ {
		if r, n := utf8.DecodeLastRune(s); r != utf8.RuneError || n > 1 {
			break
		}
		s = s[:len(s)-1]
	}
	if !utf8.Valid(s) || len(s) == 0 {
		return false
	}
	for _, r := range string(s) {
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return false
		}
	}
	*b = s
	return true
}

// thousands writes a number with separators.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
