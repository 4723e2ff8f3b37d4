package timeline

import (
	"image/color"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/plotstyle"
)

const (
	barHeight = 0.6 // of a lane
	labelSize = 9.5
)

// bars draws the spans.
type bars struct{ t *Timeline }

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	colors := b.t.colors()
	for _, s := range b.t.spans {
		at := b.t.lane(s.Lane)
		left, right := x(b.t.seconds(s.Begin)), x(b.t.seconds(s.End))
		right = max(right, left+0.6) // so that a short span is visible
		box := vg.Rectangle{
			Min: vg.Point{X: left, Y: y(at - barHeight/2)},
			Max: vg.Point{X: right, Y: y(at + barHeight/2)},
		}
		fill := colors[s.Series]
		c.FillPolygon(fill, corners(box))
		if right-left > 3 { // a white border separates adjacent spans
			c.StrokeLines(draw.LineStyle{Color: color.White, Width: 0.6}, append(corners(box), box.Min))
		}
		drawLabel(c, s.Label, box, onColor(fill))
	}
}

func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
}

// drawLabel draws a text in the middle of a bar if it fits into the bar.
func drawLabel(c draw.Canvas, label string, box vg.Rectangle, ink color.Color) {
	style := plotstyle.Text(labelSize, ink)
	style.XAlign, style.YAlign = text.XCenter, text.YCenter
	if size := box.Size(); label != "" && style.Width(label)+3 <= size.X && style.Height(label) <= size.Y {
		c.FillText(style, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, label)
	}
}

// onColor returns black or white, whichever has more contrast.
func onColor(c color.RGBA) color.Color {
	linear := func(v uint8) float64 { return math.Pow(float64(v)/255, 2.2) }
	if luminance := 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B); luminance > 0.18 {
		return color.Black
	}
	return color.White
}

// points draws the marks.
type points struct{ t *Timeline }

// Plot implements plot.Plotter.
func (m points) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	colors := m.t.colors()
	for _, mark := range m.t.marks {
		at := vg.Point{X: x(m.t.seconds(mark.At)), Y: y(m.t.lane(mark.Lane))}
		c.DrawGlyph(draw.GlyphStyle{Color: colors[mark.Series], Radius: 3.2, Shape: draw.CircleGlyph{}}, at)
		style := plotstyle.Text(labelSize, plotstyle.Ink)
		style.XAlign, style.YAlign = text.XCenter, text.YBottom
		c.FillText(style, vg.Point{X: at.X, Y: at.Y + 4}, mark.Label)
	}
}

// GlyphBoxes implements plot.GlyphBoxer. It reserves space for the marks and their
// labels.
func (m points) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var boxes []plot.GlyphBox
	for _, mark := range m.t.marks {
		half := max(3.2, plotstyle.Text(labelSize, plotstyle.Ink).Width(mark.Label)/2)
		boxes = append(boxes, plot.GlyphBox{
			X: p.X.Norm(m.t.seconds(mark.At)), Y: p.Y.Norm(m.t.lane(mark.Lane)),
			Rectangle: vg.Rectangle{Min: vg.Point{X: -half, Y: -3.2}, Max: vg.Point{X: half, Y: 4 + labelSize}},
		})
	}
	return boxes
}

// lane returns the position of a lane on the vertical axis.
func (t *Timeline) lane(name string) float64 { return -float64(slices.Index(t.lanes, name)) }

func (t *Timeline) colors() map[string]color.RGBA {
	colors := make(map[string]color.RGBA)
	for i, c := range plotstyle.Colors(t.names...) {
		colors[t.names[i]] = c
	}
	return colors
}

// A swatch is the sample of a series in the legend.
type swatch struct{ color color.RGBA }

// Thumbnail implements plot.Thumbnailer.
func (s swatch) Thumbnail(c *draw.Canvas) { c.FillPolygon(s.color, corners(c.Rectangle)) }

func (t *Timeline) addLegend(p *plot.Plot) {
	colors := t.colors()
	for _, name := range t.names {
		if name != "" {
			p.Legend.Add(name, swatch{colors[name]})
		}
	}
}

// Busy returns the total duration of the spans of a lane. Time in which spans overlap
// counts once.
func (t *Timeline) Busy(lane string) time.Duration {
	var own []Span
	for _, s := range t.spans {
		if s.Lane == lane {
			own = append(own, s)
		}
	}
	slices.SortFunc(own, func(a, b Span) int { return a.Begin.Compare(b.Begin) })
	var busy time.Duration
	var until time.Time
	for _, s := range own {
		begin := s.Begin
		if begin.Before(until) {
			begin = until
		}
		if s.End.After(begin) {
			busy += s.End.Sub(begin)
			until = s.End
		}
	}
	return busy
}
