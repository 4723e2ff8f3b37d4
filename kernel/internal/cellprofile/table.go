package cellprofile

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
)

// A row is a function, or a line of a cell, with its values.
type row struct {
	name        string
	line        int64
	flat, total int64
}

// rows adds up the samples by what key returns for a call. Recursive calls count once.
func (p *Profile) rows(key func(frame) (row, bool)) []row {
	type id struct {
		name string
		line int64
	}
	all := map[id]row{}
	for _, s := range p.samples {
		seen := map[id]bool{}
		for i, f := range s.calls {
			r, ok := key(f)
			if !ok {
				continue
			}
			at := id{r.name, r.line}
			sum := all[at]
			sum.name, sum.line = r.name, r.line
			if !seen[at] {
				sum.total += s.value
			}
			if i == len(s.calls)-1 {
				sum.flat += s.value
			}
			seen[at] = true
			all[at] = sum
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b row) int {
		return cmp.Or(cmp.Compare(b.flat, a.flat), cmp.Compare(b.total, a.total), cmp.Compare(a.name, b.name))
	})
}

func (p *Profile) functions() []row {
	return p.rows(func(f frame) (row, bool) { return row{name: f.name}, true })
}

// lines returns the lines of a cell's file, in their order.
func (p *Profile) lines(file string) []row {
	list := p.rows(func(f frame) (row, bool) {
		return row{name: file, line: f.line}, f.file == file
	})
	slices.SortFunc(list, func(a, b row) int { return cmp.Compare(a.line, b.line) })
	return list
}

// maxRows is the number of functions in the table.
const maxRows = 15

// Tables returns the functions with the highest values, and the lines of a cell that have some. source returns a line of the cell.
func (p *Profile) Tables(file string, source func(line int) string) (text, page string) {
	var b, h strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", p.Kind.isOf, p.format(p.Total))
	fmt.Fprintf(&h, "<div>%s: %s</div>\n<table>\n", p.Kind.isOf, p.format(p.Total))
	put := func(r row, name string, isHeader bool) {
		cells := []string{p.percent(r.flat), p.percent(r.total), p.format(r.total)}
		tag := "td"
		if isHeader {
			cells, tag = []string{"own", "total", ""}, "th"
		}
		fmt.Fprintf(&b, "%7s %7s %12s  %s\n", cells[0], cells[1], cells[2], name)
		h.WriteString("<tr>")
		for _, c := range cells {
			fmt.Fprintf(&h, "<%s>%s</%[1]s>", tag, c)
		}
		fmt.Fprintf(&h, `<%s style="text-align:left"><code>%s</code></%[1]s></tr>`+"\n", tag, html.EscapeString(name))
	}
	functions := p.functions()
	if len(functions) > 0 {
		put(row{}, "function", true)
	}
	for i, r := range functions {
		if i == maxRows {
			break
		}
		put(r, r.name, false)
	}
	if n := len(functions) - maxRows; n > 0 {
		fmt.Fprintf(&b, "and %d more functions\n", n)
		fmt.Fprintf(&h, `<tr><td colspan="4" style="text-align:left">and %d more functions</td></tr>`+"\n", n)
	}
	if lines := p.lines(file); len(lines) > 0 {
		put(row{}, "line of "+file, true)
		for _, r := range lines {
			put(r, fmt.Sprintf("%3d  %s", r.line, strings.TrimRight(source(int(r.line)), " \t")), false)
		}
	}
	h.WriteString("</table>")
	return strings.TrimSuffix(b.String(), "\n"), h.String()
}

func (p *Profile) percent(v int64) string { return fmt.Sprintf("%.1f%%", 100*share(v, p.Total)) }
