package chart

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/perijove/perijove/lib/exectrace"
)

// arrowStyles has the color of each kind of arrow, its name in the legend, and its rank.
// Kinds of lower rank are left out last and drawn above the others.
var arrowStyles = [...]struct {
	color color
	name  string
	rank  int
}{
	exectrace.Wakes:   {waitingColor, "wakes", 2},
	exectrace.Creates: {waitingColor, "creates", 3},
	exectrace.Starts:  {ink, "starts a process", 0},
	exectrace.Tasks:   {taskColor, "sends tasks", 1},
	exectrace.Results: {runningColor, "sends results", 1},
	exectrace.Passes:  {syscallColor, "passes a value", 0},
	exectrace.Unlocks: {heldColor, "passes a lock", 0},
}

// arrowLegend names the kinds of arrows that the trace has.
func (c *Chart) arrowLegend() {
	var has [len(arrowStyles)]bool
	for _, a := range c.trace.Arrows {
		has[a.Kind] = true
	}
	x := float64(margin)
	for kind, style := range arrowStyles {
		name := style.name
		switch kind := exectrace.ArrowKind(kind); {
		case !has[kind], kind == exectrace.Creates && has[exectrace.Wakes]:
			continue
		case kind == exectrace.Wakes && has[exectrace.Creates]:
			name = "wakes or creates" // they look the same
		}
		c.add(shape{kind: arrow, x: x, y: 52, w: 15, color: style.color})
		c.text(x+20, 56, 11, start, name)
		x += 30 + textWidth(name, 11)
	}
}

// arrows draws at most maxArrows arrows, and prefers lower ranks. If it cannot draw all
// arrows of a rank, it leaves some out evenly.
func (c *Chart) arrows(plan *rowPlan) {
	var byRank [4][]exectrace.Arrow
	total := 0
	for _, a := range c.trace.Arrows {
		if y0, y1 := plan.y(a.From), plan.y(a.To); y0 != y1 && y0 > 0 && y1 > 0 {
			rank := arrowStyles[a.Kind].rank
			byRank[rank] = append(byRank[rank], a)
			total++
		}
	}
	drawn := 0
	for rank, list := range byRank {
		byRank[rank] = evenly(list, maxArrows-drawn)
		drawn += len(byRank[rank])
	}
	c.left.arrows = total - drawn
	for _, list := range slices.Backward(byRank[:]) {
		for _, a := range list {
			c.arrow(a, plan)
		}
	}
	for _, a := range byRank[0] {
		c.arrowLabel(a, plan)
	}
}

// A box is the place of a text.
type box struct{ x, y, w, h float64 }

func (b box) overlaps(o box) bool {
	return b.x < o.x+o.w && o.x < b.x+b.w && b.y < o.y+o.h && o.y < b.y+b.h
}

// arrowLabel writes a.What beside an arrow, unless it would overlap another such text.
func (c *Chart) arrowLabel(a exectrace.Arrow, plan *rowPlan) {
	if a.What == "" || len(c.labels) == maxLabels {
		return
	}
	const size = 9
	w := textWidth(a.What, size) + 3
	x, y := (c.x(a.From.At)+c.x(a.To.At))/2+4, (plan.y(a.From)+plan.y(a.To))/2
	if x+w > width-margin {
		x -= w + 8
	}
	place := box{x, y - 5.5, w, 11}
	if slices.ContainsFunc(c.labels, place.overlaps) {
		return
	}
	c.labels = append(c.labels, place)
	title := arrowTitle(a)
	c.add(shape{kind: rectangle, x: place.x, y: place.y, w: place.w, h: place.h, color: paper, opacity: 0.85, title: title})
	c.add(shape{kind: label, x: x + 1.5, y: y + 3.2, size: size, color: textColors[a.Kind], text: a.What, title: title})
}

// textColors has darker colors for the texts of arrows.
var textColors = map[exectrace.ArrowKind]color{exectrace.Passes: "#6a479c", exectrace.Unlocks: "#a92c3e"}

// evenly returns at most n of the arrows, at even distances in the list.
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
	opacity := 0.9
	if arrowStyles[a.Kind].rank > 1 {
		opacity = 0.6
	}
	c.add(shape{kind: arrow, x: x0, y: y0, w: x1 - x0, h: y1 - y0, color: arrowStyles[a.Kind].color, opacity: opacity, title: arrowTitle(a)})
}

// arrowTitle describes an arrow.
func arrowTitle(a exectrace.Arrow) string {
	title := fmt.Sprintf("%s %v %s", placeName(a.From), a.Kind, placeName(a.To))
	if a.What != "" {
		title += " (" + a.What + ")"
	}
	if a.From.Line.Line > 0 {
		title += " at " + a.From.Line.String()
	}
	return title + fmt.Sprintf(", %v to %v", exectrace.Round(a.From.At), exectrace.Round(a.To.At))
}

func placeName(p exectrace.Place) string {
	if p.Goroutine == nil {
		return p.Process.Name()
	}
	return p.Goroutine.Title()
}

// y returns the vertical position of a place: that of its goroutine, or that of its process
// if the place has no goroutine.
func (r *rowPlan) y(p exectrace.Place) float64 {
	if p.Goroutine != nil {
		return r.goroutine[p.Goroutine]
	}
	return r.process[p.Process]
}
