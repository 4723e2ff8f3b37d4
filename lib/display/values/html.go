package values

import (
	"fmt"
	"html"
	"reflect"
	"strings"
)

// Limits of a tree whose nodes open and close.
const (
	maxNodes     = 300 // lines, visible or not
	maxHTMLDepth = 8
	leafWidth    = 120 // characters of a node that cannot be opened
	summaryWidth = 70  // characters of a node that can be opened
)

// HTML returns a value as a table, or as a tree whose nodes open and close without a
// script. ok is false for a value whose text form is just as good.
func HTML(v any) (text string, ok bool) { return new(Rendering).HTML(v) }

// HTML returns the HTML form of the value, as the function [HTML] does.
func (r *Rendering) HTML(v any) (text string, ok bool) {
	if v == nil {
		return "", false
	}
	if guarded(func() { text, ok = r.htmlOf(r.of(v)) }) != "" {
		return "", false
	}
	return text, ok
}

func (r *Rendering) htmlOf(v reflect.Value) (string, bool) {
	if _, ok := r.ownText(v); ok || v.Kind() == reflect.String || isBytes(v) {
		return "", false
	}
	if t, ok := r.tableOf(v); ok {
		return t.html(), true
	}
	if _, whole := r.oneLine(v, lineWidth, nil); whole {
		return "", false
	}
	if _, ok := r.scalarRows(v, maxLines, lineWidth); ok {
		return "", false
	}
	d, ok := r.nodeOf(v, maxNodes/3, nil)
	if !ok {
		return "", false
	}
	w := &folding{Rendering: r}
	w.b.WriteString(`<div style="font-family:var(--jp-code-font-family,monospace)">`)
	w.open(html.EscapeString(note(v)), true)
	w.parts(d, maxNodes, 1)
	w.close()
	w.b.WriteString("</div>")
	return w.b.String(), true
}

// A folding writes a tree of details elements.
type folding struct {
	*Rendering
	b     strings.Builder
	nodes int
}

func (w *folding) open(summary string, isOpen bool) {
	attribute := ""
	if isOpen {
		attribute = " open"
	}
	fmt.Fprintf(&w.b, `<details%s><summary>%s</summary><div style="margin-left:1.5em">`, attribute, summary)
	w.nodes++
}

func (w *folding) close() { w.b.WriteString("</div></details>\n") }

// parts writes the parts of a value. It divides the given number of nodes among them.
func (w *folding) parts(d *node, nodes, depth int) {
	spare := nodes - len(d.parts)
	for i, p := range d.parts {
		if i == d.before && d.left > 0 {
			w.b.WriteString("<div>" + html.EscapeString(d.leftText()) + "</div>\n")
		}
		before := w.nodes
		w.part(p, d, 1+max(spare, 0)/(len(d.parts)-i), depth)
		spare -= w.nodes - before - 1
	}
	if d.left > 0 && d.before == len(d.parts) {
		w.b.WriteString("<div>" + html.EscapeString(d.leftText()) + "</div>\n")
	}
}

func (w *folding) part(p part, parent *node, nodes, depth int) {
	label := `<span style="opacity:0.7">` + html.EscapeString(p.label) + ":</span> "
	text, whole := w.oneLine(p.value, leafWidth, parent.path)
	if !whole && nodes > 3 && depth < maxHTMLDepth {
		if d, ok := w.nodeOf(p.value, nodes-1, parent.path); ok {
			w.open(label+html.EscapeString(clip(text, summaryWidth)), false)
			w.parts(d, nodes-1, depth+1)
			w.close()
			return
		}
	}
	w.nodes++
	w.b.WriteString("<div>" + label + html.EscapeString(text) + "</div>\n")
}
