package chart

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
)

// stateStyles has the colour and height of each state. The heights differ, so that the
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

// row draws a goroutine.
func (c *Chart) row(g *exectrace.Goroutine, plan *rowPlan, y float64) {
	mid := y + rowHeight/2 + 2
	plan.goroutine[g] = mid
	title := g.Name
	if g.Created.Line.Line > 0 {
		title += ", started at " + g.Created.Line.String()
	}
	c.add(shape{kind: label, x: plotLeft - 8, y: mid + 3.5, size: 10.5, anchor: end, color: ink, text: fit(g.Title(), 10.5, labelWidth-24), title: title})
	c.states(g, plan, mid)
	c.spans(g, plan, y)
}

// states draws the states of a goroutine. Those that are shorter than a pixel are drawn
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
		fill, top, name := taskColor, y+1, s.Name
		switch s.Kind {
		case exectrace.Held:
			fill, top, name = heldColor, y+rowHeight-2, s.Name+" held"
		case exectrace.Task:
			name = "task " + exectrace.ShortName(s.Name)
			if s.Index >= 0 {
				name = fmt.Sprintf("task %d, %s", s.Index, exectrace.ShortName(s.Name))
			}
		}
		title := fmt.Sprintf("%s, %v from %v on", name, exectrace.Round(s.End-s.Begin), exectrace.Round(s.Begin))
		gap := min(1, w/4) // between adjacent tasks
		c.add(shape{kind: rectangle, x: x, y: top, w: max(0.5, w-gap), h: 3, color: fill, title: title})
	}
}

// arrowColors has the colour of each kind of arrow, and its rank: which kinds are drawn
// first.
var arrowColors = [...]struct {
	color color
	rank  int
}{
	exectrace.Wakes:   {waitingColor, 2},
	exectrace.Creates: {waitingColor, 3},
	exectrace.Starts:  {ink, 0},
	exectrace.Tasks:   {taskColor, 1},
	exectrace.Results: {runningColor, 1},
	exectrace.Passes:  {syscallColor, 0},
	exectrace.Unlocks: {heldColor, 0},
}

// arrows draws at most maxArrows arrows: of each kind some, evenly over time.
func (c *Chart) arrows(plan *rowPlan) {
	var byRank [4][]exectrace.Arrow
	total := 0
	for _, a := range c.trace.Arrows {
		if y0, y1 := plan.y(a.From), plan.y(a.To); y0 != y1 && y0 > 0 && y1 > 0 {
			rank := arrowColors[a.Kind].rank
			byRank[rank] = append(byRank[rank], a)
			total++
		}
	}
	drawn := 0
	for _, list := range byRank {
		list = evenly(list, maxArrows-drawn)
		drawn += len(list)
		for _, a := range list {
			c.arrow(a, plan)
		}
	}
	c.left.arrows = total - drawn
}

// evenly returns at most n of the arrows.
func evenly(list []exectrace.Arrow, n int) []exectrace.Arrow {
	if len(list) <= n {
		return list
	}
	out := make([]exectrace.Arrow, 0, max(n, 0))
	for i := range n {
		out = append(out, list[i*len(list)/n])
	}
	return slices.CompactFunc(out, func(a, b exectrace.Arrow) bool { return cmp.Compare(a.To.At, b.To.At) == 0 && a == b })
}

func (c *Chart) arrow(a exectrace.Arrow, plan *rowPlan) {
	x0, y0, x1, y1 := c.x(a.From.At), plan.y(a.From), c.x(a.To.At), plan.y(a.To)
	title := fmt.Sprintf("%s %v %s", placeName(a.From), a.Kind, placeName(a.To))
	if a.What != "" {
		title += " (" + a.What + ")"
	}
	if a.From.Line.Line > 0 {
		title += " at " + a.From.Line.String()
	}
	title += fmt.Sprintf(", %v to %v", exectrace.Round(a.From.At), exectrace.Round(a.To.At))
	c.add(shape{kind: arrow, x: x0, y: y0, w: x1 - x0, h: y1 - y0, color: arrowColors[a.Kind].color, opacity: 0.75, title: title})
}

func placeName(p exectrace.Place) string {
	if p.Goroutine == nil {
		return p.Process.Name()
	}
	return p.Goroutine.Title()
}

// y returns the vertical position of a place: that of its goroutine, or of its process if
// the goroutine has no row because it belongs to package mp.
func (r *rowPlan) y(p exectrace.Place) float64 {
	if p.Goroutine != nil {
		return r.goroutine[p.Goroutine]
	}
	return r.process[p.Process]
}
