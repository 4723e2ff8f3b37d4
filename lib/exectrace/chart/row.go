package chart

import (
	"fmt"
	"slices"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
)

// stateStyles has the color and height of each state. The heights differ, so that the
// states can be told apart in print.
var stateStyles = [4]struct {
	color  color
	height float64
}{
	exectrace.Running:  {runningColor, 9},
	exectrace.Runnable: {runnableColor, 6},
	exectrace.Blocked:  {waitingColor, 2.5},
	exectrace.Syscall:  {syscallColor, 6},
}

// row draws a goroutine and returns the height of its row. Tasks and marks are above its
// states.
func (c *Chart) row(g *exectrace.Goroutine, plan *rowPlan, y float64) (height float64) {
	top := y
	if hasTasks(g) {
		y += barHeight
	}
	if len(g.Marks) > 0 {
		y += barHeight
	}
	mid := y + rowHeight/2 + 2
	plan.goroutine[g] = mid
	title := g.Name
	if g.Created.Line.Line > 0 {
		title += ", started at " + g.Created.Line.String()
	}
	c.add(shape{kind: label, x: plotLeft - 8, y: mid + 3.5, size: 10.5, anchor: end, color: ink, text: fit(g.Title(), 10.5, labelWidth-24), title: title})
	c.states(g, plan, mid)
	c.spans(g, plan, y)
	c.marks(g, top+barHeight-2, mid)
	return y + rowHeight - top
}

func hasTasks(g *exectrace.Goroutine) bool {
	return slices.ContainsFunc(g.Spans, func(s exectrace.Span) bool { return s.Kind == exectrace.Task })
}

// marks draws the events that a goroutine has logged, with the texts for which there is
// room. Base is the line of the texts.
func (c *Chart) marks(g *exectrace.Goroutine, base, mid float64) {
	right, last := 0.0, -2.0
	for _, m := range g.Marks {
		x := c.x(m.At)
		if x < last+2 {
			continue // almost the same position
		}
		last = x
		title := fmt.Sprintf("%s at %v", m.Text, exectrace.Round(m.At))
		if m.Category != "" {
			title = m.Category + ": " + title
		}
		c.add(shape{kind: rectangle, x: x - 1, y: base + 2, w: 2, h: mid - base - 2, color: ink, title: title})
		half := textWidth(m.Text, markSize) / 2
		center := min(max(x, plotLeft+half), width-margin-half)
		if center-half > right+3 {
			right = center + half
			c.add(shape{kind: label, x: center, y: base, size: markSize, anchor: middle, color: ink, text: m.Text, title: title})
		}
	}
}

const markSize = 10

// textWidth returns the approximate width of a text in pixels.
func textWidth(text string, size float64) float64 { return 0.56 * size * float64(len([]rune(text))) }

// states draws the states of a goroutine. States that are shorter than a pixel are drawn
// together, as the state that takes most of their time.
func (c *Chart) states(g *exectrace.Goroutine, plan *rowPlan, mid float64) {
	var few group
	for _, s := range g.States {
		x, w := c.x(s.Begin), c.x(s.End)-c.x(s.Begin)
		if few.n > 0 && (w >= plan.bin || c.x(s.End)-c.x(few.begin) > plan.bin) {
			c.group(&few, plan, mid)
		}
		if w >= plan.bin {
			style := stateStyles[s.Kind]
			c.add(shape{kind: rectangle, x: x, y: mid - style.height/2, w: w, h: style.height, color: style.color, title: stateTitle(s)})
			continue
		}
		few.add(s)
	}
	c.group(&few, plan, mid)
}

// A group is a number of short states.
type group struct {
	n          int
	begin, end time.Duration
	times      [4]time.Duration
	only       exectrace.State
}

func (f *group) add(s exectrace.State) {
	if f.n == 0 {
		f.begin, f.only = s.Begin, s
	}
	f.n++
	f.end = s.End
	f.times[s.Kind] += s.End - s.Begin
}

// group draws a group and empties it.
func (c *Chart) group(f *group, plan *rowPlan, mid float64) {
	if f.n == 0 {
		return
	}
	most := exectrace.Running
	for kind, d := range f.times {
		if d > f.times[most] {
			most = exectrace.Kind(kind)
		}
	}
	title := stateTitle(f.only)
	if f.n > 1 {
		c.left.merged += f.n
		title = fmt.Sprintf("%d states in %v", f.n, exectrace.Round(f.end-f.begin))
		for kind, d := range f.times {
			if d > 0 {
				title += fmt.Sprintf(", %v %v", exectrace.Kind(kind), exectrace.Round(d))
			}
		}
	}
	style := stateStyles[most]
	c.add(shape{kind: rectangle, x: c.x(f.begin), y: mid - style.height/2, w: max(0.5, min(plan.bin, c.x(f.end)-c.x(f.begin))), h: style.height, color: style.color, title: title})
	*f = group{}
}

// stateTitle describes a state.
func stateTitle(s exectrace.State) string {
	text := s.Kind.String()
	if s.Kind == exectrace.Blocked {
		text = s.WaitsFor()
	}
	text += fmt.Sprintf(", %v from %v on", exectrace.Round(s.End-s.Begin), exectrace.Round(s.Begin))
	if s.Kind == exectrace.Runnable && s.Reason != "" {
		text += ", after " + s.Reason
	}
	if s.Kind == exectrace.Syscall && s.At.Line > 0 {
		text += ", at " + s.At.String()
	}
	if s.P >= 0 {
		text += fmt.Sprintf("; P %d, thread %d", s.P, s.Thread)
	}
	return text
}

// spans draws tasks, regions and held locks above the states.
func (c *Chart) spans(g *exectrace.Goroutine, plan *rowPlan, y float64) {
	last := -1.0 // right end of the last span
	for _, s := range g.Spans {
		x, w := c.x(s.Begin), c.x(s.End)-c.x(s.Begin)
		if s.Kind == exectrace.Wait || x+w < last+plan.bin && s.Kind != exectrace.Held {
			continue // waits are states
		}
		last = x + w
		fill, top, height, name := taskColor, y+1, 3.0, s.Name
		switch s.Kind {
		case exectrace.Held:
			fill, top, name = heldColor, y+rowHeight-2, s.Name+" held"
		case exectrace.Task:
			top, height = y-barHeight+2, barHeight
			name = "task " + exectrace.ShortName(s.Name)
			if s.Index >= 0 {
				name = fmt.Sprintf("task %d, %s", s.Index, exectrace.ShortName(s.Name))
			}
		}
		title := fmt.Sprintf("%s, %v from %v on", name, exectrace.Round(s.End-s.Begin), exectrace.Round(s.Begin))
		gap := min(1, w/4) // between adjacent tasks
		c.add(shape{kind: rectangle, x: x, y: top, w: max(0.5, w-gap), h: height, color: fill, title: title})
		if s.Kind == exectrace.Task {
			c.taskLabel(s, x, w-gap, top, title)
		}
	}
}

// taskLabel writes the name and the index of a task, or its index, into its bar if there
// is room.
func (c *Chart) taskLabel(s exectrace.Span, x, w, top float64, title string) {
	const size = 9
	index := ""
	if s.Index >= 0 {
		index = fmt.Sprint(s.Index)
	}
	for _, text := range []string{exectrace.ShortName(s.Name) + " " + index, index} {
		if text != "" && textWidth(text, size)+4 <= w {
			c.add(shape{kind: label, x: x + w/2, y: top + 9, size: size, anchor: middle, color: paper, text: text, title: title})
			return
		}
	}
}
