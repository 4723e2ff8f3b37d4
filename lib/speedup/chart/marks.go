package chart

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/speedup"
)

// Radii of measured points: those of speedup and, smaller, of efficiency.
const (
	pointRadius      = 3.4
	smallPointRadius = 2.4
)

// oversubscribedZone shades what is beyond the cores and draws the horizontal grid.
type oversubscribedZone struct {
	from  float64
	ticks plot.Ticker
}

func (z oversubscribedZone) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if z.from < p.X.Max {
		left := max(c.Min.X, x(z.from))
		c.FillPolygon(zoneColor, []vg.Point{{X: left, Y: c.Min.Y}, {X: c.Max.X, Y: c.Min.Y}, {X: c.Max.X, Y: c.Max.Y}, {X: left, Y: c.Max.Y}})
	}
	for _, t := range z.ticks.Ticks(p.Y.Min, p.Y.Max) {
		if t.Value > p.Y.Min {
			c.StrokeLine2(line(gridColor, 0.7), c.Min.X, y(t.Value), c.Max.X, y(t.Value))
		}
	}
}

// idealLine draws the ideal line up to the cores, or to the edge, and from
// there the ceiling.
type idealLine struct{ cores float64 }

func (r idealLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	start := max(p.X.Min, p.Y.Min)
	end := min(p.X.Max, p.Y.Max)
	c.StrokeLine2(idealStyle, x(start), y(start), x(end), y(end))
	if r.cores <= p.Y.Max && r.cores < p.X.Max {
		c.StrokeLine2(ceilingStyle, x(max(p.X.Min, r.cores)), y(r.cores), c.Max.X, y(r.cores))
	}
}

var (
	idealStyle   = line(lineColor, 1, 1.5, 2.5)
	ceilingStyle = line(inkColor, 1, 6, 3)
)

// amdahlCurve is a fitted law, up to the cores and what was measured.
type amdahlCurve struct {
	f, to float64
	color color.RGBA
}

func (a amdahlCurve) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var pts []vg.Point
	const steps = 60
	from, to := max(1, p.X.Min), a.to
	for i := range steps + 1 {
		n := from + (to-from)*float64(i)/steps
		pts = append(pts, vg.Point{X: x(n), Y: y(1 / (a.f + (1-a.f)/n))})
	}
	c.StrokeLines(line(translucent(a.color), 4), pts)
}

// points draws one series: a thin line between medians to guide the eye, the
// intervals, and a filled circle per measured point.
type points struct {
	series speedup.Series
	value  func(speedup.Point) speedup.Estimate
	color  color.RGBA
	shift  vg.Length
	small  bool
}

func (s points) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	sorted := slices.Clone(s.series.Points)
	slices.SortFunc(sorted, func(a, b speedup.Point) int { return a.Workers - b.Workers })
	radius := vg.Length(pointRadius)
	if s.small {
		radius = smallPointRadius
	}
	var path []vg.Point
	for _, pt := range sorted {
		path = append(path, vg.Point{X: x(float64(pt.Workers)) + s.shift, Y: y(s.value(pt).Median)})
	}
	c.StrokeLines(line(s.color, 1.4), path)
	for i, pt := range sorted {
		at := path[i]
		if e := s.value(pt); !math.IsNaN(e.Low) {
			low, high := y(e.Low), y(e.High)
			c.StrokeLine2(line(s.color, 1.4), at.X, low, at.X, high)
			c.StrokeLine2(line(s.color, 1.4), at.X-2.6, low, at.X+2.6, low)
			c.StrokeLine2(line(s.color, 1.4), at.X-2.6, high, at.X+2.6, high)
		}
		c.DrawGlyph(draw.GlyphStyle{Color: s.color, Radius: radius, Shape: draw.CircleGlyph{}}, at)
	}
}
