package racedetector

import (
	"cmp"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

const advice = "Nothing orders these accesses. Hold a sync.Mutex around both, make them atomic (sync/atomic), or pass the value through a channel."

// title returns the heading of the race with an index.
func (r *race) title(i, n int) string {
	t := "data race"
	if n > 1 {
		t = fmt.Sprintf("data race %d of %d", i+1, n)
	}
	if r.times > 1 {
		t += fmt.Sprintf(", reported %d times", r.times)
	}
	return t
}

// head returns the heading of an access.
func (s *side) head(i int) string {
	if i == 0 {
		return s.what + " by one goroutine"
	}
	return "earlier " + s.what + " by another"
}

// lines returns the text of an access.
func (s *side) lines(i int) []string {
	lines := append([]string{s.head(i)}, s.calls...)
	if len(s.started) > 0 {
		lines = append(append(lines, "the goroutine was started at"), s.started...)
	}
	return lines
}

// maxColumn is the greatest width of a column of the text form, in characters. Longer lines are wrapped.
const maxColumn = 60

// text returns the text form, with the accesses side by side.
func text(races []race) string {
	var b strings.Builder
	for i, r := range races {
		left, right := r.sides[0].lines(0), r.sides[1].lines(1)
		width := 0
		for _, line := range left {
			width = max(width, min(utf8.RuneCountInString(line), maxColumn))
		}
		fmt.Fprintln(&b, r.title(i, len(races)))
		for j := range max(len(left), len(right)) {
			l, r := wrap(at(left, j)), wrap(at(right, j))
			for k := range max(len(l), len(r)) {
				line := at(l, k)
				line = "  " + line + strings.Repeat(" ", width-utf8.RuneCountInString(line)) + " | " + at(r, k)
				fmt.Fprintln(&b, strings.TrimRight(line, " "))
			}
		}
	}
	return b.String() + advice
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// wrap divides a line into lines of at most maxColumn characters, if possible at a blank. The second and later lines are
// indented two characters more than the first.
func wrap(line string) []string {
	margin := line[:len(line)-len(strings.TrimLeft(line, " "))]
	margin = margin[:min(len(margin), maxColumn/2)] + "  "
	var out []string
	for {
		text := []rune(line)
		if len(text) <= maxColumn {
			return append(out, line)
		}
		end := maxColumn
		for i := maxColumn; i > maxColumn/2; i-- {
			if text[i] == ' ' {
				end = i
				break
			}
		}
		out = append(out, string(text[:end]))
		line = margin + strings.TrimLeft(string(text[end:]), " ")
	}
}

// page returns the HTML form. Its colors suit light and dark pages.
func page(races []race) string {
	var b strings.Builder
	for i, r := range races {
		fmt.Fprintf(&b, `<div style="margin:0 0 8px"><b>%s</b>`+"\n", r.title(i, len(races)))
		b.WriteString(`<table style="border-collapse:collapse"><tr>`)
		for j, s := range r.sides {
			fmt.Fprintf(&b, `<th style="text-align:left;padding:3px 12px;border-bottom:2px solid %s">%s</th>`, sideColors[j], html.EscapeString(s.head(j)))
		}
		b.WriteString("</tr>\n<tr>")
		for _, s := range r.sides {
			b.WriteString(`<td style="text-align:left;vertical-align:top;padding:3px 12px">`)
			writeCalls(&b, s.calls)
			if len(s.started) > 0 {
				b.WriteString(`<div style="opacity:.75;margin-top:6px">the goroutine was started at</div>`)
				writeCalls(&b, s.started)
			}
			b.WriteString("</td>")
		}
		b.WriteString("</tr></table></div>\n")
	}
	return b.String() + `<div style="opacity:.75">` + html.EscapeString(advice) + "</div>"
}

// sideColors underline the two accesses.
var sideColors = [2]string{"#d9534f", "#e0a030"}

// writeCalls writes lines about calls. Source lines are indented, and follow the line of their call.
func writeCalls(b *strings.Builder, lines []string) {
	for _, line := range lines {
		if code, isCode := strings.CutPrefix(line, "    "); isCode {
			fmt.Fprintf(b, `<pre style="margin:0 0 0 1.5em;white-space:pre-wrap">%s</pre>`, html.EscapeString(cmp.Or(code, " ")))
			continue
		}
		fmt.Fprintf(b, "<div>%s</div>", html.EscapeString(line))
	}
}
