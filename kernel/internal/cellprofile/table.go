package cellprofile

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/traceback"
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

// maxRows is the number of functions and of processes in the table.
const maxRows = 15

// minShare is the smallest share with which a line of another cell is in the table.
const minShare = 0.01

// cells returns the numbers of the cells that have calls in the profile: first the one that ran, then the others.
func (p *Profile) cells(ran int) []int {
	found := map[int]bool{}
	for _, s := range p.samples {
		for _, f := range s.calls {
			if n, ok := traceback.CellOf(f.file); ok {
				found[n] = true
			}
		}
	}
	delete(found, ran)
	return append([]int{ran}, slices.Sorted(maps.Keys(found))...)
}

// Tables returns tables, as text and as HTML: of the processes, of the functions with the highest values, and of the
// lines that have values. The lines are those of cell ran, and of the cells whose functions it called. source returns
// a line of a cell.
func (p *Profile) Tables(ran int, source func(cell, line int) string) (text, page string) {
	t := &table{p: p}
	fmt.Fprintf(&t.text, "%s\n", p.heading())
	fmt.Fprintf(&t.page, "<div>%s</div>\n", p.heading())
	for _, note := range p.lost() {
		fmt.Fprintf(&t.text, "%s\n", note)
		fmt.Fprintf(&t.page, "<div>%s</div>\n", html.EscapeString(note))
	}
	t.page.WriteString("<table>\n")
	t.processes(p.processRows())
	t.functions(p.functions())
	for _, n := range p.cells(ran) {
		lines := slices.DeleteFunc(p.lines(cell.Name(n)), func(r row) bool { return n != ran && share(r.total, p.Total) < minShare })
		if len(lines) > 0 {
			t.header("line of " + cell.Name(n))
		}
		for _, r := range lines {
			t.row(r, fmt.Sprintf("%3d  %s", r.line, strings.TrimRight(source(n, int(r.line)), " \t")))
		}
	}
	t.page.WriteString("</table>")
	return strings.TrimSuffix(t.text.String(), "\n"), t.page.String()
}

// A table is written as text and as part of a page.
type table struct {
	p          *Profile
	text, page strings.Builder
}

func (t *table) header(name string) { t.put("th", "own", "total", "", name) }

func (t *table) row(r row, name string) {
	t.put("td", t.p.percent(r.flat), t.p.percent(r.total), t.p.format(r.total), name)
}

func (t *table) put(tag, own, total, value, name string) {
	fmt.Fprintf(&t.text, "%7s %7s %12s  %s\n", own, total, value, name)
	t.page.WriteString("<tr>")
	for _, c := range []string{own, total, value} {
		fmt.Fprintf(&t.page, "<%s>%s</%[1]s>", tag, c)
	}
	fmt.Fprintf(&t.page, `<%s style="text-align:left"><code>%s</code></%[1]s></tr>`+"\n", tag, html.EscapeString(name))
}

// more says how many rows are left out.
func (t *table) more(n int, what string) {
	if n > 0 {
		fmt.Fprintf(&t.text, "and %d more %s\n", n, what)
		fmt.Fprintf(&t.page, `<tr><td colspan="4" style="text-align:left">and %d more %s</td></tr>`+"\n", n, what)
	}
}

// processes lists the processes if there are several.
func (t *table) processes(list []processRow) {
	if len(list) < 2 {
		return
	}
	t.put("th", "", "total", "", "process")
	for _, r := range list[:min(len(list), maxRows)] {
		t.put("td", "", t.p.percent(r.value), t.p.format(r.value), r.name)
	}
	t.more(len(list)-maxRows, "processes")
}

func (t *table) functions(list []row) {
	if len(list) == 0 {
		return
	}
	t.header("function, highest own share first")
	for _, r := range list[:min(len(list), maxRows)] {
		t.row(r, r.name)
	}
	t.more(len(list)-maxRows, "functions")
}

func (p *Profile) percent(v int64) string { return fmt.Sprintf("%.1f%%", 100*share(v, p.Total)) }
