package values

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// maxTreeDepth is the maximum depth of a tree; deeper values are one line each.
const maxTreeDepth = 6

// A tree writes a value as indented lines.
type tree struct {
	*Rendering
	lines []string
}

// node writes a label and a value, in at least one and at most the given number of
// lines.
func (w *tree) node(label string, v reflect.Value, lines, depth int) {
	w.nested(label, v, lines, depth, nil)
}

func (w *tree) nested(label string, v reflect.Value, lines, depth int, path []visit) {
	prefix := strings.Repeat(indent, depth) + label
	room := max(lineWidth-utf8.RuneCountInString(prefix), 20)
	text, whole := w.oneLine(v, room, path)
	if whole || lines < 4 || depth >= maxTreeDepth {
		w.lines = append(w.lines, prefix+text)
		return
	}
	if rows, ok := w.scalarRows(v, lines-2, room); ok {
		w.rows(prefix, rows, depth)
		return
	}
	d, ok := w.nodeOf(v, lines-2, path)
	if !ok || d.left > 0 && lines < 8 {
		w.lines = append(w.lines, prefix+text)
		return
	}
	w.lines = append(w.lines, prefix+d.open)
	w.parts(d, lines-2, depth+1)
	w.lines = append(w.lines, strings.Repeat(indent, depth)+d.close)
}

// parts writes the parts of a composite value. Each gets one line; parts that need
// more share the remaining lines.
func (w *tree) parts(d *node, lines, depth int) {
	spare := lines - len(d.parts)
	if d.left > 0 {
		spare--
	}
	width := 0
	if d.close == "}" {
		width = labelWidth(d.parts)
	}
	for i, p := range d.parts {
		if i == d.before && d.left > 0 {
			w.lines = append(w.lines, strings.Repeat(indent, depth)+d.leftText())
		}
		label := p.label + ":"
		if d.open == "[" || strings.HasSuffix(d.open, "&[") {
			label = "[" + p.label + "]"
		}
		label += strings.Repeat(" ", 1+max(width-utf8.RuneCountInString(p.label), 0))
		before := len(w.lines)
		w.nested(label, p.value, 1+spare/(len(d.parts)-i), depth, d.path)
		spare = max(spare-(len(w.lines)-before-1), 0)
	}
	if d.left > 0 && d.before == len(d.parts) {
		w.lines = append(w.lines, strings.Repeat(indent, depth)+d.leftText())
	}
}

// labelWidth returns the width of the widest label, at most 20.
func labelWidth(parts []part) int {
	width := 0
	for _, p := range parts {
		width = max(width, utf8.RuneCountInString(p.label))
	}
	return min(width, 20)
}

func (w *tree) rows(prefix string, rows []string, depth int) {
	pad := strings.Repeat(" ", utf8.RuneCountInString(prefix)+1)
	for i, row := range rows {
		switch {
		case i == 0:
			row = prefix + "[" + row
		default:
			row = pad + row
		}
		if i == len(rows)-1 {
			row += "]"
		}
		w.lines = append(w.lines, row)
	}
}

// scalarRows returns the first and last elements of a slice of numbers, booleans or
// short strings as rows, in columns of equal width. It returns false for other slices.
func (r *Rendering) scalarRows(v reflect.Value, lines, width int) ([]string, bool) {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array || isBytes(v) || !isScalar(v.Type().Elem()) {
		return nil, false
	}
	if _, ok := r.ownText(v); ok {
		return nil, false
	}
	lines = min(lines, 12)
	widest, isLong := 1, false
	texts := make([]string, 0, 200)
	get := func(i int) string {
		text, whole := r.oneLine(v.Index(i), 24, nil)
		if isLong = isLong || !whole; whole {
			text = r.elementText(v.Index(i), text)
		}
		widest = max(widest, utf8.RuneCountInString(text))
		return text
	}
	first := min(v.Len(), 150)
	for i := range first {
		texts = append(texts, get(i))
	}
	if v.Len() > first {
		first = 120
		texts = texts[:first]
		for i := max(v.Len()-20, first); i < v.Len(); i++ {
			texts = append(texts, get(i))
		}
	}
	if isLong {
		return nil, false
	}
	return arrange(texts, v.Len(), widest, max(width/(widest+1), 1), lines, isNumber(v.Type().Elem())), true
}

// elementText returns the text of an element of a slice. Numbers have 6 significant
// digits; for a string, and for a value whose method returns a text, the result is text.
func (r *Rendering) elementText(v reflect.Value, text string) string {
	if _, ok := r.ownText(v); !ok && v.Kind() != reflect.String {
		return scalar(v, true)
	}
	return text
}

// arrange puts texts in rows of perRow texts. all is the length of the slice, of which
// texts may hold only the first and last elements. right aligns texts to the right.
func arrange(texts []string, all, widest, perRow, lines int, right bool) []string {
	last := 0
	if full := (all + perRow - 1) / perRow; full > lines || len(texts) < all {
		if last = 1; lines < 3 {
			last = 0
		}
	}
	var rows []string
	row := func(from, to int) {
		var b strings.Builder
		for i := from; i < to; i++ {
			pad := strings.Repeat(" ", widest-utf8.RuneCountInString(texts[i]))
			if i > from {
				b.WriteByte(' ')
			}
			if right {
				b.WriteString(pad + texts[i])
			} else if b.WriteString(texts[i]); i < to-1 {
				b.WriteString(pad)
			}
		}
		rows = append(rows, b.String())
	}
	room := lines - 2*last
	first := min(len(texts), room*perRow)
	if len(texts) < all {
		first = min(first, (len(texts)-min(perRow, 20))/perRow*perRow)
		first = max(first, min(perRow, len(texts)))
	}
	for i := 0; i < first; i += perRow {
		row(i, min(i+perRow, first))
	}
	if first == all {
		return rows
	}
	tail := min(perRow*last, 20, len(texts)-first)
	rows = append(rows, "… "+thousands(all-first-tail)+" more …")
	if tail > 0 {
		row(len(texts)-tail, len(texts))
	}
	return rows
}
