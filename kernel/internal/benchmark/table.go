package benchmark

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/perf/benchmath"
)

// A Table is a table with notes below it.
type Table struct {
	Header []string
	Rows   [][]Cell
	Notes  []string
}

// A Cell is one cell of a table, with a text that appears when the pointer rests on it.
type Cell struct{ Text, Hover string }

// Table returns a table with the median of each benchmark and unit, and the 95 % interval of the median.
func (r *Run) Table() *Table {
	list := units(r)
	t := &Table{Header: []string{"benchmark"}}
	for _, u := range list {
		t.Header = append(t.Header, header(u))
	}
	t.Header = append(t.Header, "iterations")
	var warnings []error
	most := 0
	for _, b := range r.Benchmarks {
		row := []Cell{{Text: b.Name}}
		for _, u := range list {
			row = append(row, b.cell(u, &warnings))
		}
		t.Rows = append(t.Rows, append(row, Cell{Text: iterations(b.Iters)}))
		most = max(most, len(b.Iters))
	}
	note := "median, and its 95 % interval, of " + strconv.Itoa(most) + " measurements"
	if most == 1 {
		note = "one measurement"
	}
	t.Notes = append([]string{note}, texts(warnings)...)
	return t
}

// cell returns the median of a unit and its interval.
func (b *Benchmark) cell(unit string, warnings *[]error) Cell {
	values := b.Values[unit]
	if len(values) == 0 {
		return Cell{}
	}
	s := b.summary(unit)
	if len(values) == 1 {
		return Cell{Text: format(values[0], unit)}
	}
	if slices.Min(values) == slices.Max(values) {
		return Cell{Text: format(s.Center, unit), Hover: "in all measurements"}
	}
	*warnings = append(*warnings, s.Warnings...)
	c := Cell{Text: format(s.Center, unit)}
	if share := s.PctRangeString(); share != "0%" {
		c.Text += " ± " + share
	}
	if len(s.Warnings) == 0 {
		c.Hover = "from " + format(s.Lo, unit) + " to " + format(s.Hi, unit)
	}
	return c
}

// iterations returns the numbers of iterations of all measurements.
func iterations(list []int) string {
	low, high := strconv.Itoa(slices.Min(list)), strconv.Itoa(slices.Max(list))
	text := low
	if low != high {
		text += "–" + high
	}
	if len(list) == 1 {
		return text
	}
	return fmt.Sprintf("%d × %s", len(list), text)
}

// Compare returns a table that compares two runs. It lists the benchmarks that both runs have, and returns an error
// if there are none.
func Compare(before, after *Run) (*Table, error) {
	t := &Table{Header: []string{"benchmark", "", "before", "after", "change"}}
	var warnings []error
	common := 0
	for _, u := range units(before, after) {
		for _, b := range after.Benchmarks {
			old := before.named(b.Name)
			if old == nil || len(old.Values[u]) == 0 || len(b.Values[u]) == 0 {
				continue
			}
			common++
			change := Cell{Text: "none"}
			if !equal(old.Values[u], b.Values[u]) {
				c := benchmath.AssumeNothing.Compare(old.sample(u), b.sample(u))
				warnings = append(warnings, c.Warnings...)
				change.Text = c.FormatDelta(old.summary(u).Center, b.summary(u).Center) + " (" + c.String() + ")"
			}
			t.Rows = append(t.Rows, []Cell{{Text: b.Name}, {Text: header(u)}, old.cell(u, &warnings), b.cell(u, &warnings), change})
		}
	}
	if common == 0 {
		return nil, fmt.Errorf("cannot compare the last two runs of benchmarks, which have no benchmark in common: the first has %s, the second %s", names(before), names(after))
	}
	t.Notes = []string{"medians with their 95 % intervals; ~ marks a change that may be chance (U test, p > 0.05)"}
	for _, pair := range []struct {
		run, other *Run
		which      string
	}{{before, after, "only before: "}, {after, before, "only after: "}} {
		if only := pair.run.without(pair.other); len(only.Benchmarks) > 0 {
			t.Notes = append(t.Notes, pair.which+names(only))
		}
	}
	t.Notes = append(t.Notes, texts(warnings)...)
	return t, nil
}

// equal reports whether all values are the same.
func equal(lists ...[]float64) bool {
	all := slices.Concat(lists...)
	return slices.Min(all) == slices.Max(all)
}

// without returns the benchmarks of r that other does not have.
func (r *Run) without(other *Run) *Run {
	out := &Run{}
	for _, b := range r.Benchmarks {
		if other.named(b.Name) == nil {
			out.Benchmarks = append(out.Benchmarks, b)
		}
	}
	return out
}

func names(r *Run) string {
	var list []string
	for _, b := range r.Benchmarks {
		list = append(list, b.Name)
	}
	return strings.Join(list, ", ")
}

// texts returns the texts of warnings, each of them once.
func texts(warnings []error) []string {
	var out []string
	for _, w := range warnings {
		if text := w.Error(); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// String returns the table as text with aligned columns.
func (t *Table) String() string {
	widths := make([]int, len(t.Header))
	for i, h := range t.Header {
		widths[i] = utf8.RuneCountInString(h)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].Text))
		}
	}
	var b strings.Builder
	line := func(text func(i int) string) {
		var row strings.Builder
		for i, w := range widths {
			pad := strings.Repeat(" ", w-utf8.RuneCountInString(text(i)))
			if i == 0 {
				row.WriteString(text(i) + pad)
			} else {
				row.WriteString("  " + pad + text(i))
			}
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	line(func(i int) string { return t.Header[i] })
	for _, row := range t.Rows {
		line(func(i int) string { return row[i].Text })
	}
	b.WriteString(strings.Join(t.Notes, "\n"))
	return b.String()
}

// HTML returns the table as HTML.
func (t *Table) HTML() string {
	var b strings.Builder
	align := func(i int) string {
		if i == 0 {
			return ` style="text-align:left"`
		}
		return ""
	}
	b.WriteString("<table>\n<tr>")
	for i, h := range t.Header {
		fmt.Fprintf(&b, "<th%s>%s</th>", align(i), html.EscapeString(h))
	}
	b.WriteString("</tr>\n")
	for _, row := range t.Rows {
		b.WriteString("<tr>")
		for i, c := range row {
			hover := ""
			if c.Hover != "" {
				hover = ` title="` + html.EscapeString(c.Hover) + `"`
			}
			fmt.Fprintf(&b, "<td%s%s>%s</td>", align(i), hover, html.EscapeString(c.Text))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>")
	for _, n := range t.Notes {
		fmt.Fprintf(&b, "\n<div>%s</div>", html.EscapeString(n))
	}
	return b.String()
}
