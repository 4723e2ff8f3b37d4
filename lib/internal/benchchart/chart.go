// Package benchchart draws the results of benchmarks for %%bench of the kernel.
package benchchart

import (
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/plotstyle"
)

// A Sample has the measured times of one benchmark in one run, in seconds.
type Sample struct {
	Benchmark string
	Run       string // "before" or "after", or empty if there is only one run
	Values    []float64
	// Median, Low and High are the median and the ends of its interval. Low is NaN if there is
	// no interval.
	Median, Low, High float64
}

// A Chart is the picture of the results of some benchmarks.
type Chart struct{ *plotstyle.Plot }

// String returns a short text without the results, since %%bench also shows them in a table.
func (Chart) String() string { return "(a chart of the measured times)" }

// New returns a chart with a row for each benchmark. It shows each measurement as a point, and the medians with
// their intervals.
func New(samples ...Sample) Chart {
	c := &chart{samples: samples}
	for _, s := range samples {
		if !slices.Contains(c.rows, s.Benchmark) {
			c.rows = append(c.rows, s.Benchmark)
		}
		if !slices.Contains(c.runs, s.Run) {
			c.runs = append(c.runs, s.Run)
		}
	}
	p := plot.New()
	p.X.Label.Text = "time per operation"
	p.X.Tick.Marker = plotstyle.Ticks{Unit: plotstyle.Seconds}
	p.X.Min, p.X.Max = c.limits()
	if p.X.Min > 0 && p.X.Max/p.X.Min > wide {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plotstyle.LogTicks{Unit: plotstyle.Seconds}
	} else if len(samples) > 1 {
		p.X.Min = 0
	}
	var ticks plot.ConstantTicks
	for i, row := range c.rows {
		ticks = append(ticks, plot.Tick{Value: -float64(i), Label: row})
	}
	p.Y.Tick.Marker = ticks
	p.Y.Min, p.Y.Max = 0.5-float64(len(c.rows)), 0.5
	p.Add(c)
	for i, run := range c.runs {
		if run != "" {
			p.Legend.Add(run, swatch{c.color(i)})
		}
	}
	out := plotstyle.New(p)
	out.Width = 5.25 * vg.Inch
	out.Height = vg.Length(60 + 26*len(c.rows)*len(c.runs))
	return Chart{out}
}

// wide is the ratio of the longest to the shortest time from which on the axis is logarithmic.
const wide = 20

type chart struct {
	samples    []Sample
	rows, runs []string
}

// limits returns the range of the times, with a margin.
func (c *chart) limits() (low, high float64) {
	low, high = math.Inf(1), 0
	for _, s := range c.samples {
		low, high = min(low, slices.Min(s.Values)), max(high, slices.Max(s.Values))
		if !math.IsNaN(s.Low) {
			low, high = min(low, s.Low), max(high, s.High)
		}
	}
	if high <= 0 {
		return 0, 1e-9
	}
	return low * 0.95, high * 1.05
}

// color returns the color of a run.
func (c *chart) color(run int) color.RGBA {
	if len(c.runs) == 1 || c.runs[run] != "before" {
		return plotstyle.Goroutines
	}
	return plotstyle.Ideal
}

// Plot implements plot.Plotter.
func (c *chart) Plot(dc draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&dc)
	for _, s := range c.samples {
		run := slices.Index(c.runs, s.Run)
		at := -float64(slices.Index(c.rows, s.Benchmark))
		if n := len(c.runs); n > 1 {
			at += 0.4 * (0.5 - float64(run)/float64(n-1))
		}
		ink := c.color(run)
		level := y(at)
		for _, v := range s.Values {
			dot := ink
			dot.A = 0x80
			dc.DrawGlyph(draw.GlyphStyle{Color: color.NRGBA(dot), Radius: 2.2, Shape: draw.CircleGlyph{}}, vg.Point{X: x(v), Y: level - 5})
		}
		if !math.IsNaN(s.Low) {
			dc.StrokeLine2(draw.LineStyle{Color: ink, Width: 1.5}, x(s.Low), level+2, x(s.High), level+2)
		}
		dc.StrokeLine2(draw.LineStyle{Color: ink, Width: 2.5}, x(s.Median), level-2, x(s.Median), level+6)
	}
}

// A swatch is the sample of a run in the legend.
type swatch struct{ color color.RGBA }

// Thumbnail implements plot.Thumbnailer.
func (s swatch) Thumbnail(c *draw.Canvas) {
	r := c.Rectangle
	c.FillPolygon(s.color, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}

// Name returns the name of a benchmark, shortened so that it fits beside a row.
func Name(name string) string {
	const longest = 30
	if runes := []rune(name); len(runes) > longest {
		return strings.TrimSpace(string(runes[:longest-1])) + "…"
	}
	return name
}
