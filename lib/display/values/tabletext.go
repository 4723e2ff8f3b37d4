package values

import (
	"encoding"
	"fmt"
	"html"
	"reflect"
	"strings"
	"unicode/utf8"
)

var textInterfaces = []reflect.Type{
	reflect.TypeFor[error](), reflect.TypeFor[fmt.Stringer](), reflect.TypeFor[fmt.Formatter](), reflect.TypeFor[encoding.TextMarshaler](),
}

// text returns the table as text with aligned columns. A note tells how many columns
// do not fit on a line.
func (t *table) text() string {
	widths := t.widths()
	if sum(widths) > maxColWidth {
		t = t.narrowed()
		widths = t.widths()
	}
	labels := t.labels()
	shown, total := 0, indexWidth(labels)
	for shown < len(widths) && (shown == 0 || total+widths[shown]+2 <= maxColWidth) {
		total += widths[shown] + 2
		shown++
	}
	var b strings.Builder
	put := func(index string, row []string) {
		var line strings.Builder
		if w := indexWidth(labels); w > 0 {
			fmt.Fprintf(&line, "%*s", w, index)
		}
		for j := range shown {
			text := ""
			if j < len(row) {
				text = row[j]
			}
			if j > 0 || t.index != nil {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", max(widths[j]-utf8.RuneCountInString(text), 0))
			if t.right[j] {
				line.WriteString(pad + text)
			} else {
				line.WriteString(text + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	if t.header != nil {
		put("", t.header)
	}
	for i, row := range t.rows {
		if i == t.before && t.left > 0 {
			fmt.Fprintf(&b, "… %s\n", count(t.left, "more row"))
		}
		label := ""
		if labels != nil {
			label = labels[i]
		}
		put(label, row)
	}
	if t.left > 0 && t.before == len(t.rows) {
		fmt.Fprintf(&b, "… %s\n", count(t.left, "more row"))
	}
	b.WriteString(t.note)
	if n := len(widths) - shown; n > 0 {
		b.WriteString(", " + count(n, "more column") + " do not fit here")
	}
	return b.String()
}

// sum returns the width of a row with columns of these widths.
func sum(widths []int) int {
	total := 0
	for _, w := range widths {
		total += w + 2
	}
	return total
}

// narrowed returns the table with shorter texts in its cells.
func (t *table) narrowed() *table {
	narrow := *t
	narrow.rows = make([][]string, len(t.rows))
	for i, row := range t.rows {
		for _, text := range row {
			narrow.rows[i] = append(narrow.rows[i], clip(text, narrowCell))
		}
	}
	return &narrow
}

// labels returns the indices of the rows as text. In a table without a header they are in brackets, since they would look like
// values.
func (t *table) labels() []string {
	if t.header != nil || t.index == nil {
		return t.index
	}
	labels := make([]string, len(t.index))
	for i, index := range t.index {
		labels[i] = "[" + index + "]"
	}
	return labels
}

func indexWidth(index []string) int {
	width := 0
	for _, s := range index {
		width = max(width, len(s))
	}
	return width
}

func (t *table) widths() []int {
	widths := make([]int, len(t.right))
	for j := range widths {
		if j < len(t.header) {
			widths[j] = utf8.RuneCountInString(t.header[j])
		}
		for _, row := range t.rows {
			if j < len(row) {
				widths[j] = max(widths[j], utf8.RuneCountInString(row[j]))
			}
		}
	}
	return widths
}

// html returns the table as HTML.
func (t *table) html() string {
	var b strings.Builder
	b.WriteString("<table>\n")
	if t.header != nil {
		b.WriteString("<thead><tr>")
		if t.index != nil {
			b.WriteString("<th></th>")
		}
		for j, name := range t.header {
			fmt.Fprintf(&b, `<th style="%s">%s</th>`, t.align(j), html.EscapeString(name))
		}
		b.WriteString("</tr></thead>\n")
	}
	b.WriteString("<tbody>\n")
	for i, row := range t.rows {
		if i == t.before && t.left > 0 {
			t.gap(&b)
		}
		b.WriteString("<tr>")
		if t.index != nil {
			fmt.Fprintf(&b, `<th style="text-align:right">%s</th>`, t.index[i])
		}
		for j, text := range row {
			fmt.Fprintf(&b, `<td style="%s">%s</td>`, t.align(j), html.EscapeString(text))
		}
		b.WriteString("</tr>\n")
	}
	if t.left > 0 && t.before == len(t.rows) {
		t.gap(&b)
	}
	b.WriteString("</tbody>\n</table>\n")
	b.WriteString(noteHTML(t.note))
	return b.String()
}

// gap writes a row with the number of omitted rows.
func (t *table) gap(b *strings.Builder) {
	span := len(t.right)
	if t.index != nil {
		span++
	}
	fmt.Fprintf(b, `<tr><td colspan="%d" style="text-align:center">… %s</td></tr>`+"\n", span, count(t.left, "more row"))
}

func (t *table) align(j int) string {
	if t.right[j] {
		return "text-align:right"
	}
	return "text-align:left"
}

func noteHTML(text string) string {
	return `<div style="opacity:0.7">` + html.EscapeString(text) + "</div>"
}
