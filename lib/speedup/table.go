package speedup

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

var pointColumns = []string{"time", "speedup", "efficiency"}

// texts returns the texts of a point, one for each of pointColumns.
func (p Point) texts() []string {
	return []string{formatSeconds(p.Seconds.Median), formatEstimate(p.Speedup), fmt.Sprintf("%.0f %%", 100*p.Efficiency)}
}

func formatEstimate(e Estimate) string {
	if math.IsNaN(e.Low) {
		return fmt.Sprintf("%.2f", e.Median)
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", e.Median, e.Low, e.High)
}

// String returns the result as a table: one line per worker count, with the time, the
// speedup with its interval, and the efficiency of each case. Notes follow.
func (r *Result) String() string {
	lines := [][]string{{""}, {"workers"}}
	for _, s := range r.Series {
		lines[0] = append(lines[0], s.Name, "", "")
		lines[1] = append(lines[1], pointColumns...)
	}
	for i, n := range r.Workers {
		line := []string{strconv.Itoa(n)}
		for _, s := range r.Series {
			line = append(line, s.Points[i].texts()...)
		}
		lines = append(lines, line)
	}
	if len(r.Series) == 1 && r.Series[0].Name == "" {
		lines = lines[1:]
	}
	var b strings.Builder
	writeAligned(&b, lines)
	b.WriteByte('\n')
	for _, note := range r.texts() {
		b.WriteString(note + "\n")
	}
	for _, s := range r.Series {
		for _, p := range s.Points {
			if p.Timeline != nil {
				b.WriteString(timelineText(s, p))
			}
		}
	}
	return b.String()
}

// writeAligned writes lines with aligned columns. A text, such as the name of a case,
// may extend over empty columns to its right.
func writeAligned(b *strings.Builder, lines [][]string) {
	widths := make([]int, len(lines[0]))
	for i := range widths {
		for _, line := range lines {
			if i+1 < len(line) && line[i+1] == "" {
				continue // a heading over several columns
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
		}
	}
	for _, line := range lines {
		var out strings.Builder
		at, want := 0, 0
		for i, text := range line {
			if text != "" {
				out.WriteString(strings.Repeat(" ", max(0, want-at)))
				at = max(at, want)
			}
			out.WriteString(text)
			at += utf8.RuneCountInString(text)
			want += widths[i] + 2
		}
		b.WriteString(strings.TrimRight(out.String(), " ") + "\n")
	}
}

// HTML returns the table of String as HTML.
func (r *Result) HTML() string {
	var b strings.Builder
	b.WriteString(`<table class="speedup"><thead>` + "\n")
	group := len(r.Series) > 1 || r.Series[0].Name != ""
	if group {
		b.WriteString(`<tr><th rowspan="2" style="text-align:right">workers</th>`)
		for _, s := range r.Series {
			fmt.Fprintf(&b, `<th colspan="3" style="text-align:center">%s</th>`, html.EscapeString(s.Name))
		}
		b.WriteString("</tr>\n<tr>")
	} else {
		b.WriteString(`<tr><th style="text-align:right">workers</th>`)
	}
	for range r.Series {
		for _, name := range pointColumns {
			fmt.Fprintf(&b, `<th style="text-align:right">%s</th>`, name)
		}
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for i, n := range r.Workers {
		fmt.Fprintf(&b, `<tr><td style="text-align:right">%d</td>`, n)
		for _, s := range r.Series {
			for _, text := range s.Points[i].texts() {
				// The interval is below its median, so that three cases fit into a notebook's width.
				text = strings.Replace(html.EscapeString(text), " [", "<br><small>[", 1)
				if strings.HasSuffix(text, "]") {
					text += "</small>"
				}
				fmt.Fprintf(&b, `<td style="text-align:right;white-space:nowrap">%s</td>`, text)
			}
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table>\n<p>")
	for i, note := range r.texts() {
		if i > 0 {
			b.WriteString("<br>\n")
		}
		b.WriteString(strings.ReplaceAll(html.EscapeString(note), " %", "\u00a0%"))
	}
	b.WriteString("</p>")
	return b.String() + r.timelinesHTML()
}
