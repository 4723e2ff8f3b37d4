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

func (p Point) cells() []string {
	return []string{formatSeconds(p.Seconds.Median), formatEstimate(p.Speedup), fmt.Sprintf("%.0f %%", 100*p.Efficiency)}
}

func formatEstimate(e Estimate) string {
	if math.IsNaN(e.Low) {
		return fmt.Sprintf("%.2f", e.Median)
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", e.Median, e.Low, e.High)
}

// String is the table as text: one line per worker count, the first column
// named workers, and for each case time, speedup with its interval, and
// efficiency. Notes follow.
func (r *Result) String() string {
	lines := [][]string{{""}, {"workers"}}
	for _, s := range r.Series {
		lines[0] = append(lines[0], s.Name, "", "")
		lines[1] = append(lines[1], pointColumns...)
	}
	for i, n := range r.Workers {
		line := []string{strconv.Itoa(n)}
		for _, s := range r.Series {
			line = append(line, s.Points[i].cells()...)
		}
		lines = append(lines, line)
	}
	if len(r.Series) == 1 && r.Series[0].Name == "" {
		lines = lines[1:]
	}
	var b strings.Builder
	writeAligned(&b, lines)
	b.WriteByte('\n')
	for _, note := range r.notes() {
		b.WriteString(note + "\n")
	}
	return b.String()
}

// writeAligned pads columns; a cell without right neighbours' text may run over
// them, as the names of cases do.
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
		for i, cell := range line {
			if cell != "" {
				out.WriteString(strings.Repeat(" ", max(0, want-at)))
				at = max(at, want)
			}
			out.WriteString(cell)
			at += utf8.RuneCountInString(cell)
			want += widths[i] + 2
		}
		b.WriteString(strings.TrimRight(out.String(), " ") + "\n")
	}
}

// HTML is the same table for a notebook.
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
			for _, cell := range s.Points[i].cells() {
				// The interval goes below its median: three cases then fit a notebook's width.
				cell = strings.Replace(html.EscapeString(cell), " [", "<br><small>[", 1)
				if strings.HasSuffix(cell, "]") {
					cell += "</small>"
				}
				fmt.Fprintf(&b, `<td style="text-align:right;white-space:nowrap">%s</td>`, cell)
			}
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table>\n<p>")
	for i, note := range r.notes() {
		if i > 0 {
			b.WriteString("<br>\n")
		}
		b.WriteString(html.EscapeString(note))
	}
	b.WriteString("</p>")
	return b.String()
}

// notes say what a table or chart of ratios leaves out.
func (r *Result) notes() []string {
	notes := []string{r.baseNote()}
	if note := r.loadNote(); note != "" {
		notes = append(notes, note)
	}
	notes = append(notes, r.workNotes()...)
	notes = append(notes, r.karpFlattNotes()...)
	for _, s := range r.Series {
		if f, ok := r.Amdahl(s); ok {
			notes = append(notes, fmt.Sprintf("Amdahl's law fitted up to %s: %s has a serial fraction of %.3f.",
				plural(r.Cores, "core"), caseName(s), f))
		}
	}
	return notes
}

func (r *Result) baseNote() string {
	note := fmt.Sprintf("T1 = %s (%s); %s; ", formatSeconds(r.Serial.Median), r.SerialName, plural(r.Cores, "core"))
	if len(r.Rounds) == 1 {
		return note + "one round, so no intervals."
	}
	return note + fmt.Sprintf("medians of %d rounds in random order, with %s.", len(r.Rounds), plural2(intervalName(len(r.Rounds))))
}

func plural2(name string) string {
	if name == "range" {
		return "their range"
	}
	return name + "s"
}

// loadNote is empty where nothing is known of other programs and the baselines agree.
func (r *Result) loadNote() string {
	var parts []string
	if f := r.Foreign(); !math.IsNaN(f) {
		parts = append(parts, fmt.Sprintf("Other programs kept %.2f of %s busy", f, plural(r.Cores, "core")))
	}
	if n := r.Disturbed(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s disturbed", n, plural(float64(len(r.Rounds)), "round")))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}

// maxOverhead is how far one worker may be from the baseline before it looks
// like other work. A compiler that drops an unused result gives such ratios.
const maxOverhead = 1.5

func (r *Result) workNotes() []string {
	var notes []string
	for _, s := range r.Series {
		for _, p := range s.Points {
			if p.Workers != 1 || p.Speedup.Median < maxOverhead && p.Speedup.Median > 1/maxOverhead {
				continue
			}
			notes = append(notes, fmt.Sprintf("One worker of %s takes %.2f times as long as the baseline: do both do the same work?",
				caseName(s), 1/p.Speedup.Median))
		}
	}
	return notes
}

// karpFlattNotes stand in for a fit where there are too few points for one.
func (r *Result) karpFlattNotes() []string {
	var notes []string
	for i, n := range r.Workers {
		var parts []string
		for _, s := range r.Series {
			if _, fitted := r.Amdahl(s); fitted {
				continue
			}
			if e := s.Points[i].KarpFlatt; !math.IsNaN(e) {
				parts = append(parts, fmt.Sprintf("%s %.2f", caseName(s), e))
			}
		}
		if len(parts) > 0 {
			notes = append(notes, fmt.Sprintf("Karp–Flatt serial fraction with %d workers: %s.", n, strings.Join(parts, ", ")))
		}
	}
	return notes
}

func caseName(s Series) string {
	if s.Name == "" {
		return "this case"
	}
	return s.Name
}

func plural(n float64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatFloat(math.Round(n*100)/100, 'g', -1, 64) + " " + noun + "s"
}
