package traceback

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
)

// A group has the goroutines that are in the same state at the same place and were started at the same place.
type group struct {
	state    string
	calls    []string // as Calls returns them; if no call is in a cell, the outermost function
	started  []string // as Calls returns them, for the statement that started the goroutines
	literal  bool     // the statement that started them is in the same line as one of the calls
	function string   // the function with which they began; "" if it is not known
	cell     int
	ids      []uint64
	// atLeast and atMost bound the time for which the goroutines have been waiting; 0 if that is not known.
	atLeast, atMost time.Duration
}

// groups returns the groups of goroutines, in the order of their states and places.
func (s Style) groups(list []control.Goroutine) []*group {
	byText := map[string]*group{}
	var out []*group
	for _, g := range list {
		g.Frames = withoutWrappers(g.Frames)
		x := &group{state: g.State, calls: s.Calls(g.Frames), function: function(g), cell: g.Cell, atLeast: g.AtLeast, atMost: g.AtMost}
		if g.Created != nil {
			x.started = s.Calls([]control.Frame{*g.Created})
			x.literal = slices.ContainsFunc(g.Frames, func(f control.Frame) bool { return f.File == g.Created.File && f.Line == g.Created.Line })
		}
		key := x.state + "\n" + strings.Join(x.calls, "\n") + "\n" + strings.Join(x.started, "\n") + "\n" + x.function
		known := byText[key]
		if known == nil {
			byText[key] = x
			out = append(out, x)
			known = x
		}
		known.ids = append(known.ids, g.ID)
		known.atLeast, known.atMost = min(known.atLeast, g.AtLeast), max(known.atMost, g.AtMost)
	}
	slices.SortStableFunc(out, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.state, b.state), slices.Compare(a.calls, b.calls), slices.Compare(a.started, b.started))
	})
	return out
}

// function returns the function that a goroutine began with, or "" if that is not known.
func function(g control.Goroutine) string {
	if n := len(g.Frames); n > 0 {
		return g.Frames[n-1].Func
	}
	return ""
}

// goroutineLines describes goroutines in a report of how a cell ended: only goroutines that are in code of cells, or
// were started there.
func (s Style) goroutineLines(list []control.Goroutine, count int) []string {
	var lines []string
	for _, x := range s.groups(list) {
		if len(x.calls)+len(x.started) > 0 {
			lines = append(lines, x.lines(x.waitsLong())...)
		}
	}
	return appendMore(lines, count-len(list))
}

func appendMore(lines []string, n int) []string {
	if n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return lines
}

// lines describes a group.
func (x *group) lines(waits string) []string {
	first := x.state
	if n := len(x.ids); n > 1 {
		first = fmt.Sprintf("%d × %s", n, first)
	}
	if waits != "" {
		first += ", " + waits
	}
	lines := slices.Clone(x.calls)
	if len(x.started) > 0 && !x.literal {
		lines = append(append(lines, "started at "+x.started[0]), x.started[1:]...)
	}
	if len(lines) == 0 {
		return []string{first}
	}
	lines[0] = first + ": " + lines[0]
	return lines
}

// waits returns a text about how long the goroutines of a group have been waiting.
func (x *group) waits() string {
	switch {
	case x.atLeast > 0 && x.atMost > 0:
		return "for " + round(x.atLeast) + " to " + round(x.atMost)
	case x.atMost > 0:
		return "for at most " + round(x.atMost)
	}
	return ""
}

// waitsLong returns the text of waits if they have been waiting for more than a minute, else "".
func (x *group) waitsLong() string {
	if x.atLeast < time.Minute {
		return ""
	}
	return x.waits()
}

// round writes a duration with a precision that suits it.
func round(d time.Duration) string {
	switch {
	case d >= time.Minute:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(100 * time.Millisecond)
	default:
		d = d.Round(time.Millisecond)
	}
	return d.String()
}

// Goroutines returns a table of the goroutines of cells, as text and as HTML. count is the number of all goroutines of
// cells; list may have fewer.
func (s Style) Goroutines(list []control.Goroutine, count int) (text, page string) {
	if count == 0 {
		return "no goroutine of a cell runs", "<div>no goroutine of a cell runs</div>"
	}
	var lines []string
	var b strings.Builder
	b.WriteString("<table>\n<tr>")
	for _, h := range []string{"goroutines", "state", "waiting", "where", "started"} {
		fmt.Fprintf(&b, `<th style="text-align:left">%s</th>`, h)
	}
	b.WriteString("</tr>\n")
	for _, x := range s.groups(list) {
		x.complete()
		waits := x.waits()
		lines = append(lines, fmt.Sprintf("%s %s", x.numbers(), strings.Join(x.lines(waits), "\n")))
		b.WriteString("<tr>")
		for _, column := range []string{x.numbers(), x.state, waits, block(x.calls), block(x.started)} {
			if !strings.HasPrefix(column, "<pre") {
				column = html.EscapeString(column)
			}
			fmt.Fprintf(&b, `<td style="text-align:left;vertical-align:top">%s</td>`, column)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>")
	if n := count - len(list); n > 0 {
		fmt.Fprintf(&b, "\n<div>and %d more</div>", n)
	}
	return strings.Join(appendMore(lines, count-len(list)), "\n"), b.String()
}

// complete sets the places of goroutines that are not in code of a cell, or were not started there.
func (x *group) complete() {
	if len(x.calls) == 0 && x.function != "" {
		x.calls = []string{"in " + frameName(x.function)}
	}
	if len(x.started) == 0 && x.cell > 0 {
		x.started = []string{cell.Name(x.cell)}
	}
}

// numbers lists the first goroutines of a group.
func (x *group) numbers() string {
	const most = 5
	var list []string
	for i, id := range slices.Sorted(slices.Values(x.ids)) {
		if i == most {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprint(id))
	}
	return strings.Join(list, ",")
}

// block returns lines as preformatted HTML.
func block(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return `<pre style="margin:0">` + html.EscapeString(strings.Join(lines, "\n")) + "</pre>"
}
