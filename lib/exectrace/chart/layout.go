package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
)

// A rowPlan has the vertical positions of goroutines and processes.
type rowPlan struct {
	goroutine map[*exectrace.Goroutine]float64 // the middle
	process   map[*exectrace.Process]float64
	bin       float64 // least width of a drawn state
}

// layout places all shapes. Shapes that others may cover come first.
func (c *Chart) layout() {
	shown := c.choose()
	plan := rowPlan{goroutine: map[*exectrace.Goroutine]float64{}, process: map[*exectrace.Process]float64{}}
	rows := 0
	for _, list := range shown {
		rows += len(list)
	}
	plan.bin = max(1, float64(rows)*plotWidth/maxShapes)
	c.header()
	c.arrowLegend()
	y := float64(topHeight)
	grid := len(c.shapes)
	for _, p := range c.trace.Processes {
		y = c.process(p, shown[p], &plan, y)
	}
	c.arrows(&plan)
	c.shapes = slices.Insert(c.shapes, grid, c.axis(topHeight-8, y)...)
	y += 6
	for _, note := range c.notes() {
		y += 14
		c.text(margin, y, 10.5, start, note)
	}
	c.height = y + margin
}

// choose returns the goroutines with rows: those that did most.
func (c *Chart) choose() map[*exectrace.Process][]*exectrace.Goroutine {
	type candidate struct {
		g      *exectrace.Goroutine
		weight time.Duration
	}
	var all []candidate
	for _, p := range c.trace.Processes {
		for i, g := range p.Goroutines {
			t := g.Totals()
			w := t[exectrace.Running] + t[exectrace.Syscall] + t[exectrace.Runnable]
			for _, s := range g.Spans {
				w += s.End - s.Begin
			}
			if i == 0 {
				w += c.trace.Length // each process has a row
			}
			all = append(all, candidate{g, w})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.weight, a.weight) })
	c.left.goroutines = max(0, len(all)-maxRows)
	chosen := map[*exectrace.Goroutine]bool{}
	for _, x := range all[:min(len(all), maxRows)] {
		chosen[x.g] = true
	}
	shown := map[*exectrace.Process][]*exectrace.Goroutine{}
	for _, p := range c.trace.Processes {
		for _, g := range p.Goroutines {
			if chosen[g] {
				shown[p] = append(shown[p], g)
			}
		}
	}
	return shown
}

// header draws the title and the legend.
func (c *Chart) header() {
	t := c.trace
	c.add(shape{kind: label, x: margin, y: 18, size: 13, bold: true, color: ink,
		text: fmt.Sprintf("%v on %s, %s", exectrace.Round(t.Length), plural(t.Cores, "core"), processes(len(t.Processes)))})
	x := float64(margin)
	for _, entry := range []struct {
		name   string
		color  color
		height float64
	}{{"running", runningColor, 9}, {"runnable", runnableColor, 6}, {"waiting", waitingColor, 2.5}, {"system call", syscallColor, 6}, {"task", taskColor, 3}, {"lock held", heldColor, 3}, {"garbage collection", gcColor, 9}} {
		c.add(shape{kind: rectangle, x: x, y: 34 - entry.height/2, w: 16, h: entry.height, color: entry.color, opacity: legendOpacity(entry.color)})
		c.text(x+20, 38, 11, start, entry.name)
		x += 30 + textWidth(entry.name, 11)
	}
}

func legendOpacity(k color) float64 {
	if k == gcColor {
		return gcOpacity
	}
	return 0
}

const gcOpacity = 0.35

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}

// process draws a process and returns the position below it.
func (c *Chart) process(p *exectrace.Process, list []*exectrace.Goroutine, plan *rowPlan, y float64) float64 {
	top := y
	plan.process[p] = y + headHeight/2
	c.add(shape{kind: rectangle, x: margin, y: y, w: width - 2*margin, h: 0.7, color: ink, opacity: 0.35})
	name := p.Name()
	if used, ok := p.UsedCores(c.trace.Cores); ok {
		name += fmt.Sprintf(" · %.2f cores", used)
	}
	c.add(shape{kind: label, x: margin, y: y + 14, size: 10.5, bold: true, color: ink, text: name, title: p.File})
	y += headHeight
	if len(p.CPU) > 1 {
		c.curve(p, y-headHeight+4)
		y = y - headHeight + 4 + cpuHeight + 4
	}
	collected := len(c.shapes)
	for _, g := range list {
		y += c.row(g, plan, y)
	}
	var bands []shape
	for _, s := range p.GC {
		title := fmt.Sprintf("%s, %v from %v on", s.Name, exectrace.Round(s.End-s.Begin), exectrace.Round(s.Begin))
		w := c.x(s.End) - c.x(s.Begin)
		if s.Kind == exectrace.Pause && w < 1 {
			continue
		}
		bands = append(bands, shape{kind: rectangle, x: c.x(s.Begin), y: top + headHeight + 6, w: max(w, 0.5), h: max(0, y-top-headHeight-6), color: gcColor, opacity: gcOpacity, title: title})
	}
	c.shapes = slices.Insert(c.shapes, collected, bands...)
	if p.Problem != "" {
		x := c.x(p.End)
		c.add(shape{kind: rectangle, x: x, y: top + headHeight, w: max(0, plotLeft+plotWidth-x), h: max(0, y-top-headHeight), color: waitingColor, opacity: 0.15, title: p.Problem})
	}
	return y + 6
}

// curve draws the processor time of a process: the full height stands for all cores of the
// machine.
func (c *Chart) curve(p *exectrace.Process, y float64) {
	full := float64(max(1, c.trace.Cores))
	c.add(shape{kind: rectangle, x: plotLeft, y: y + cpuHeight, w: plotWidth, h: 0.5, color: ink, opacity: 0.3})
	c.add(shape{kind: rectangle, x: plotLeft, y: y, w: plotWidth, h: 0.5, color: ink, opacity: 0.15})
	step := max(1, len(p.CPU)/(plotWidth/2))
	for i := 0; i+step < len(p.CPU); i += step {
		a, b := p.CPU[i], p.CPU[i+step]
		if b.At <= a.At {
			continue
		}
		used := float64(b.Used-a.Used) / float64(b.At-a.At)
		if used > 1.1*full {
			continue // the interval is too short for the clock of processor time
		}
		h := cpuHeight * min(1, used/full)
		title := fmt.Sprintf("%.2f of %s in use, %v to %v", used, plural(c.trace.Cores, "core"), exectrace.Round(a.At), exectrace.Round(b.At))
		c.add(shape{kind: rectangle, x: c.x(a.At), y: y + cpuHeight - h, w: c.x(b.At) - c.x(a.At), h: h, color: cpuColor, opacity: 0.45, title: title})
	}
}

// axis returns the grid and the labels of the time axis.
func (c *Chart) axis(top, bottom float64) []shape {
	var list []shape
	step := tickStep(c.trace.Length)
	for at := time.Duration(0); at <= c.trace.Length && step > 0; at += step {
		x := c.x(at)
		list = append(list, shape{kind: rectangle, x: x, y: top, w: 0.6, h: bottom - top, color: ink, opacity: 0.15})
		a := middle
		if x > width-40 {
			a = end
		}
		list = append(list, shape{kind: label, x: x, y: top - 3, size: 10.5, anchor: a, color: ink, text: at.String()})
	}
	return list
}

// tickStep returns the step between ticks: 1, 2 or 5 times a power of ten.
func tickStep(length time.Duration) time.Duration {
	for step := time.Duration(1); step > 0; step *= 10 {
		for _, k := range []time.Duration{1, 2, 5} {
			if length/(k*step) <= 8 {
				return k * step
			}
		}
	}
	return 0
}

// notes returns the lines below the picture.
func (c *Chart) notes() []string {
	var list []string
	if text := c.LeftOut(); text != "" {
		list = append(list, text)
	}
	for i, p := range c.trace.Problems {
		if i == 3 {
			list = append(list, fmt.Sprintf("and %d more problems", len(c.trace.Problems)-i))
			break
		}
		list = append(list, "incomplete: "+p)
	}
	return list
}

// fit cuts a text to a width in pixels.
func fit(text string, size, width float64) string {
	n := int(width / (0.56 * size))
	if r := []rune(text); len(r) > n && n > 1 {
		return strings.TrimSpace(string(r[:n-1])) + "…"
	}
	return text
}
