package members

import (
	"fmt"
	"html"
	"strings"
	"text/tabwriter"
	"time"
)

// A Table is a table of the processes with workers, for users.
type Table struct {
	Own     Build // build of this process
	Rows    []Row
	Waiting int // number of tasks of this process's pools that wait for a worker
}

var columns = []string{"host", "process", "program", "build", "workers", "running", "done", "failed", "lost", "seen"}

// firstNumber is the first of the columns that is a number.
const firstNumber = 4

// cells returns the text of the table: a line for each process, and one with the sums.
func (t *Table) cells() [][]string {
	var lines [][]string
	var sum [5]int
	for i := range t.Rows {
		r := &t.Rows[i]
		line := []string{r.Host, fmt.Sprint(r.PID), r.Program, t.build(r)}
		for k, n := range []int{r.Slots, r.Running, r.Done, r.Failed, r.Restarts} {
			if r.Lost() && k < 2 {
				n = 0
			}
			sum[k] += n
			line = append(line, fmt.Sprint(n))
		}
		lines = append(lines, append(line, seen(r)))
	}
	total := []string{"total", fmt.Sprint(len(t.Rows)), "", ""}
	for _, n := range sum {
		total = append(total, fmt.Sprint(n))
	}
	return append(lines, append(total, fmt.Sprintf("%d waiting", t.Waiting)))
}

func (t *Table) build(r *Row) string {
	switch {
	case r.Build == t.Own:
		return "this"
	case r.Offers:
		return fmt.Sprintf("by hash (%.4x)", r.Build)
	}
	return fmt.Sprintf("other (%.4x)", r.Build)
}

// seen says when a process has announced itself. For a process that does so regularly it
// does not change.
func seen(r *Row) string {
	ago := r.Age.Truncate(time.Second)
	switch {
	case r.Lost():
		return fmt.Sprintf("lost, %v ago", ago)
	case ago > 2*time.Second:
		return fmt.Sprintf("%v ago", ago)
	}
	return "now"
}

// String returns the table as text.
func (t *Table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, line := range append([][]string{columns}, t.cells()...) {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	_ = w.Flush() // writes to memory
	return b.String()
}

// HTML returns the table as HTML.
func (t *Table) HTML() string {
	var b strings.Builder
	b.WriteString("<table><thead><tr>")
	row(&b, "th", columns)
	b.WriteString("</tr></thead><tbody>")
	lines := t.cells()
	for i, line := range lines {
		switch {
		case i == len(lines)-1:
			b.WriteString(`<tr style="font-weight: bold">`)
		case t.Rows[i].Lost():
			b.WriteString(`<tr style="opacity: 0.5">`)
		default:
			b.WriteString("<tr>")
		}
		row(&b, "td", line)
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
	return b.String()
}

func row(b *strings.Builder, element string, cells []string) {
	for i, text := range cells {
		align := "left"
		if i >= firstNumber && i < len(cells)-1 {
			align = "right"
		}
		fmt.Fprintf(b, `<%s style="text-align: %s">%s</%s>`, element, align, html.EscapeString(text), element)
	}
}
