package chart

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/plotstyle"
	"github.com/perijove/perijove/lib/speedup"
)

// Radii of measured points: those of speedup and, smaller, of efficiency.
const (
	pointRadius      = 3.4
	smallPointRadius = 2.4
)

// oversubscribedZone shades the part of the chart with more workers than cores.
type oversubscribedZone struct{ from float64 }

// zoneColor is translucent, so that the grid is visible in the zone.
var zoneColor = color.NRGBA{0xc8, 0x9b, 0x3c, 0x24}

func (z oversubscribedZone) Plot(c draw.Canvas, p *plot.Plot) {
	if !(z.from < p.X.Max) {
		return
	}
	x, _ := p.Transforms(&c)
	left := max(c.Min.X, x(z.from))
	c.FillPolygon(zoneColor, []vg.Point{{X: left, Y: c.Min.Y}, {X: c.Max.X, Y: c.Min.Y}, {X: c.Max.X, Y: c.Max.Y}, {X: left, Y: c.Max.Y}})
}

// idealLine draws the line of the ideal speedup, and the ceiling from the number of
// cores to the right edge.
type idealLine struct{ cores float64 }

func (r idealLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	drawCurve(c, idealStyle, p, p.X.Min, min(p.X.Max, p.Y.Max), func(n float64) float64 { return n })
	if r.cores <= p.Y.Max && r.cores < p.X.Max {
		c.StrokeLine2(ceilingStyle, x(max(p.X.Min, r.cores)), y(r.cores), c.Max.X, y(r.cores))
	}
}

// drawCurve draws the part of the function f of the number of workers that is in the chart, between from and to.
func drawCurve(c draw.Canvas, style draw.LineStyle, p *plot.Plot, from, to float64, f func(float64) float64) {
	const steps = 60
	x, y := p.Transforms(&c)
	var path []vg.Point
	for i := range steps + 1 {
		n := from * math.Pow(to/from, float64(i)/steps)
		path = append(path, vg.Point{X: x(n), Y: y(f(n))})
	}
	c.StrokeLines(style, c.ClipLinesXY(path)...)
}

var (
	idealStyle   = line(plotstyle.Ideal, 1.2, 1.5, 2.5)
	ceilingStyle = line(plotstyle.Ink, 1, 6, 3)
)

// A lawCurve is the curve of a fitted law, from 1 worker, or the left edge of the chart, to the largest worker count of the fit.
type lawCurve struct {
	fit   speedup.Fit
	style draw.LineStyle
}

func (l lawCurve) Plot(c draw.Canvas, p *plot.Plot) {
	drawCurve(c, l.style, p, max(1, p.X.Min), float64(slices.Max(l.fit.Workers)), l.fit.Speedup)
}

// fitStyle returns the line style of a law: wide and translucent, behind the points. It
// is dashed for the Universal Scalability Law, the second law of a series.
func fitStyle(f speedup.Fit, c color.RGBA) draw.LineStyle {
	if f.Law == speedup.USL {
		return line(translucent(c), 4, 4, 3)
	}
	return line(translucent(c), 4)
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
