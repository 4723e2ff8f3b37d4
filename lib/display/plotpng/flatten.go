package plotpng

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// A polyline has at least one point. All of its coordinates are finite.
type polyline struct{ points []point }

// flatten returns a path in pixels, with curves as short lines.
func (c *canvas) flatten(p vg.Path) []polyline {
	f := flattener{canvas: c}
	for _, comp := range p {
		f.add(comp)
	}
	f.end()
	return f.lines
}

type flattener struct {
	canvas *canvas
	lines  []polyline
	open   []point
	last   point // in pixels
}

func (f *flattener) add(comp vg.PathComp) {
	at := f.at(comp.Pos)
	switch comp.Type {
	case vg.MoveComp:
		f.end()
		f.to(at)
	case vg.LineComp:
		f.to(at)
	case vg.ArcComp:
		f.arc(comp)
	case vg.CurveComp:
		switch len(comp.Control) {
		case 1:
			a, b := f.last, f.at(comp.Control[0])
			f.curve(a, mid(a, b, 2./3), mid(at, b, 2./3), at)
		case 2:
			f.curve(f.last, f.at(comp.Control[0]), f.at(comp.Control[1]), at)
		}
	case vg.CloseComp:
		if len(f.open) > 0 {
			start := f.open[0]
			f.to(start)
			f.end()
			f.last = start
		}
	}
}

func (f *flattener) at(p vg.Point) point {
	return f.canvas.m.apply(f.canvas.dots(p.X), f.canvas.dots(p.Y))
}

// to adds a line from the last point to p. A point that is not finite ends the
// polyline.
func (f *flattener) to(p point) {
	if math.IsNaN(p.x+p.y) || math.IsInf(p.x+p.y, 0) {
		f.end()
		return
	}
	f.open = append(f.open, p)
	f.last = p
}

func (f *flattener) end() {
	if len(f.open) > 0 {
		f.lines = append(f.lines, polyline{f.open})
	}
	f.open = nil
}

func (f *flattener) arc(comp vg.PathComp) {
	radius := f.canvas.dots(comp.Radius)
	angle := min(max(comp.Angle, -2*math.Pi), 2*math.Pi)
	n := pieces(radius * math.Abs(angle))
	x, y := f.canvas.dots(comp.Pos.X), f.canvas.dots(comp.Pos.Y)
	for i := range n + 1 {
		sin, cos := math.Sincos(comp.Start + angle*float64(i)/float64(n))
		f.to(f.canvas.m.apply(x+radius*cos, y+radius*sin))
	}
}

// curve adds a cubic Bézier curve as lines. Its first point, a, is in the polyline.
func (f *flattener) curve(a, b, c, d point) {
	n := pieces(math.Hypot(b.x-a.x, b.y-a.y) + math.Hypot(c.x-b.x, c.y-b.y) + math.Hypot(d.x-c.x, d.y-c.y))
	for i := 1; i <= n; i++ {
		t := float64(i) / float64(n)
		ab, bc, cd := mid(a, b, t), mid(b, c, t), mid(c, d, t)
		f.to(mid(mid(ab, bc, t), mid(bc, cd, t), t))
	}
}

// pieces returns the number of lines for a curve of the given length in pixels.
func pieces(length float64) int {
	if !(length > 0) {
		return 1
	}
	return int(min(max(4, 3*math.Sqrt(length)), 1000))
}

func mid(a, b point, t float64) point { return point{a.x + (b.x-a.x)*t, a.y + (b.y-a.y)*t} }

// dashes is a dash pattern: the lengths of dashes and gaps, in turn.
type dashes struct {
	pattern []float64
	offset  float64 // position in the pattern at which lines begin
}

// maxDashes is the maximum number of parts into which a path is divided.
const maxDashes = 1 << 16

// apply returns the parts of polylines that are dashes.
func (d dashes) apply(lines []polyline) []polyline {
	total := 0.0
	for _, length := range d.pattern {
		if length < 0 {
			return lines
		}
		total += length
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return lines
	}
	if len(d.pattern)%2 == 1 {
		d.pattern = append(append([]float64(nil), d.pattern...), d.pattern...)
		total *= 2
	}
	var out []polyline
	for _, l := range lines {
		out = d.divide(out, l, total)
		if len(out) > maxDashes {
			return lines
		}
	}
	return out
}

// divide appends the parts of l that are dashes. total is the length of the pattern.
func (d dashes) divide(out []polyline, l polyline, total float64) []polyline {
	left := math.Mod(math.Mod(d.offset, total)+total, total)
	i := 0
	for left >= d.pattern[i] {
		left -= d.pattern[i]
		i = (i + 1) % len(d.pattern)
	}
	left = d.pattern[i] - left
	part := []point{l.points[0]}
	for k := 1; k < len(l.points) && len(out) <= maxDashes; {
		from, to := part[len(part)-1], l.points[k]
		length := math.Hypot(to.x-from.x, to.y-from.y)
		if length <= left {
			left -= length
			part = append(part, to)
			k++
			continue
		}
		part = append(part, mid(from, to, left/length))
		if i%2 == 0 {
			out = append(out, polyline{part})
		}
		part = []point{part[len(part)-1]}
		i = (i + 1) % len(d.pattern)
		left = d.pattern[i]
	}
	if i%2 == 0 {
		out = append(out, polyline{part})
	}
	return out
}
