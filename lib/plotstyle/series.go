package plotstyle

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Series is a set of measured points, joined by a line. Each point has an interval
// if Low and High are set. A Series is a plot.Plotter; [Add] adds it to a plot and to
// the plot's legend.
type Series struct {
	Name  string      // name in the legend; if empty, the legend omits the series
	Color color.Color // nil means that Add chooses a color of Colors
	XYs   plotter.XYs

	// Low and High are the lower and upper ends of the intervals, one for each point, or
	// nil. A point for which one of them is NaN has no interval.
	Low, High []float64

	Glyph draw.GlyphDrawer // nil means a circle
	Bare  bool             // whether to draw the line without points
	Style draw.LineStyle   // style of the line; the zero value means 1.5 points wide, in Color
}

// Add adds series to p and its legend. A series without a color gets its color from [Colors],
// given the names of all series that calls of Add have added to p. If p has more series than
// there are colors, colors repeat, and the lines of the series that repeat a color are dashed.
func Add(p *plot.Plot, series ...*Series) {
	h, ok := p.TextHandler.(*handler)
	if !ok {
		h = &handler{Handler: p.TextHandler}
		p.TextHandler = h
	}
	before := len(h.series)
	for _, s := range series {
		h.series = append(h.series, s.Name)
	}
	colors := Colors(h.series...)
	for i, s := range series {
		if at := before + i; s.Color == nil {
			s.Color = colors[at]
			if _, ok := fixed[s.Name]; !ok && s.Style.Dashes == nil && slices.Contains(colors[:at], colors[at]) {
				s.Style.Dashes = []vg.Length{vg.Points(5), vg.Points(2.5)}
			}
		}
		p.Add(s)
		if s.Name != "" {
			p.Legend.Add(s.Name, s)
		}
	}
}

// A handler is a plot's text handler that also stores the names of the plot's series.
// The text handler is the only place for them: a plot exports neither its plotters nor
// its legend entries.
type handler struct {
	text.Handler
	series []string
}

const pointRadius = 3

func (s *Series) color() color.Color {
	if s.Color != nil {
		return s.Color
	}
	return Colors(s.Name)[0]
}

func (s *Series) line() draw.LineStyle {
	style := s.Style
	if style.Width == 0 {
		style.Width = 1.5
	}
	if style.Color == nil {
		style.Color = s.color()
	}
	return style
}

func (s *Series) glyph() draw.GlyphStyle {
	shape := s.Glyph
	if shape == nil {
		shape = draw.CircleGlyph{}
	}
	return draw.GlyphStyle{Color: s.color(), Radius: pointRadius, Shape: shape}
}

// Plot implements plot.Plotter. Points that are not finite interrupt the line.
func (s *Series) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var run []vg.Point
	for i, q := range s.XYs {
		if !finite(q.X) || !finite(q.Y) {
			c.StrokeLines(s.line(), c.ClipLinesXY(run)...)
			run = nil
			continue
		}
		run = append(run, vg.Point{X: x(q.X), Y: y(q.Y)})
		if low, high, ok := s.interval(i); ok {
			s.drawInterval(c, x(q.X), y(low), y(high))
		}
	}
	c.StrokeLines(s.line(), c.ClipLinesXY(run)...)
	if s.Bare {
		return
	}
	for _, q := range s.XYs {
		if finite(q.X) && finite(q.Y) {
			if at := (vg.Point{X: x(q.X), Y: y(q.Y)}); c.Contains(at) {
				c.DrawGlyph(s.glyph(), at)
			}
		}
	}
}

func (s *Series) drawInterval(c draw.Canvas, x, low, high vg.Length) {
	const half = 2.6
	style := draw.LineStyle{Color: s.color(), Width: 1.2}
	c.StrokeLine2(style, x, low, x, high)
	c.StrokeLine2(style, x-half, low, x+half, low)
	c.StrokeLine2(style, x-half, high, x+half, high)
}

func (s *Series) interval(i int) (low, high float64, ok bool) {
	if i >= len(s.Low) || i >= len(s.High) {
		return 0, 0, false
	}
	low, high = s.Low[i], s.High[i]
	return low, high, finite(low) && finite(high)
}

// DataRange implements plot.DataRanger. The range includes the intervals.
func (s *Series) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, ymin = math.Inf(1), math.Inf(1)
	xmax, ymax = math.Inf(-1), math.Inf(-1)
	for i, q := range s.XYs {
		if !finite(q.X) || !finite(q.Y) {
			continue
		}
		low, high, ok := s.interval(i)
		if !ok {
			low, high = q.Y, q.Y
		}
		xmin, xmax = min(xmin, q.X), max(xmax, q.X)
		ymin, ymax = min(ymin, q.Y, low), max(ymax, q.Y, high)
	}
	return xmin, xmax, ymin, ymax
}

// GlyphBoxes implements plot.GlyphBoxer.
func (s *Series) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	if s.Bare {
		return nil
	}
	var boxes []plot.GlyphBox
	for _, q := range s.XYs {
		if finite(q.X) && finite(q.Y) {
			boxes = append(boxes, plot.GlyphBox{X: p.X.Norm(q.X), Y: p.Y.Norm(q.Y), Rectangle: s.glyph().Rectangle()})
		}
	}
	return boxes
}

// Thumbnail implements plot.Thumbnailer.
func (s *Series) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(s.line(), c.Min.X, y, c.Max.X, y)
	if !s.Bare {
		c.DrawGlyph(s.glyph(), c.Center())
	}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
