package speedup

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	inkColor   = color.RGBA{0x24, 0x29, 0x2f, 0xff}
	quietColor = color.RGBA{0x57, 0x60, 0x6a, 0xff}
	lineColor  = color.RGBA{0x8c, 0x95, 0x9f, 0xff}
	gridColor  = color.RGBA{0xe6, 0xe9, 0xed, 0xff}
	zoneColor  = color.RGBA{0xf6, 0xf1, 0xe7, 0xff}
	warnColor  = color.RGBA{0xa4, 0x4a, 0x00, 0xff}
)

// palette is Okabe and Ito's, whose colours the colour-blind can tell apart.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0xe6, 0x9f, 0x00, 0xff},
}

func seriesColor(i int) color.RGBA { return palette[i%len(palette)] }

// Radii of measured points: those of speedup and, smaller, of efficiency.
const (
	pointRadius      = 3.4
	smallPointRadius = 2.4
)

func line(col color.Color, width vg.Length, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: col, Width: width, Dashes: dashes}
}

// zone shades what is beyond the cores and draws the horizontal grid.
type zone struct {
	from  float64
	ticks plot.Ticker
}

func (z zone) Plot(c draw.Canvas, p *plot.Plot) {
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

// reference draws the ideal line up to the cores, or to the edge, and from
// there the ceiling.
type reference struct{ cores float64 }

func (r reference) Plot(c draw.Canvas, p *plot.Plot) {
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
	c.StrokeLines(line(soft(a.color), 4), pts)
}

func soft(c color.RGBA) color.Color { return color.NRGBA{c.R, c.G, c.B, 0x60} }

// points draws one series: a thin line between medians to guide the eye, the
// intervals, and a filled circle per measured point.
type points struct {
	series Series
	value  func(Point) Estimate
	color  color.RGBA
	shift  vg.Length
	small  bool
}

func (s points) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	sorted := slices.Clone(s.series.Points)
	slices.SortFunc(sorted, func(a, b Point) int { return a.Workers - b.Workers })
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

// A legendEntry is one sample with its name. Samples hold no circles: a circle
// in the picture is a measured point.
type legendEntry struct {
	name   string
	line   draw.LineStyle
	filled bool // a swatch instead of a line
}

func (c *Chart) legend() []legendEntry {
	r := c.result
	var entries []legendEntry
	for i, s := range r.Series {
		if s.Name != "" {
			entries = append(entries, legendEntry{name: s.Name, line: line(seriesColor(i), 3)})
		}
	}
	for i, s := range r.Series {
		if _, ok := r.Amdahl(s); ok {
			entries = append(entries, legendEntry{name: strings.TrimSpace(s.Name + " by Amdahl's law"), line: line(soft(seriesColor(i)), 4)})
		}
	}
	entries = append(entries, legendEntry{name: "ideal", line: idealStyle})
	if most := float64(slices.Max(r.Workers)); most >= r.Cores {
		entries = append(entries, legendEntry{name: fmt.Sprintf("ceiling: %s", plural(r.Cores, "core")), line: ceilingStyle})
		if most > r.Cores {
			entries = append(entries, legendEntry{name: "more workers than cores", line: line(zoneColor, 9), filled: true})
		}
	}
	return entries
}

// drawLegend sets the entries in rows above the panels, where nothing can lie
// under them, and returns the height it took.
func drawLegend(dc draw.Canvas, entries []legendEntry) vg.Length {
	const sample, gap, between, row = 20, 5, 15, 14
	style := textStyle(10, inkColor, false)
	x, y := dc.Min.X, dc.Max.Y-8
	height := vg.Length(row)
	for _, e := range entries {
		width := sample + gap + style.Width(e.name)
		if x > dc.Min.X && x+width > dc.Max.X {
			x, y, height = dc.Min.X, y-row, height+row
		}
		if e.filled {
			dc.StrokeLine2(line(gridColor, 10.5), x, y, x+sample, y)
		}
		dc.StrokeLine2(e.line, x, y, x+sample, y)
		dc.FillText(style, vg.Point{X: x + sample + gap, Y: y - 3.3}, e.name)
		x += width + between
	}
	return height
}
