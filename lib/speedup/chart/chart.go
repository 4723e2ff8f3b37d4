// Package chart draws the results of package speedup: speedup over the number of
// workers, and efficiency below it.
//
//	res, err := speedup.Measure(ctx, opts, cases...)
//	display.Show(chart.New(res)) // or as the last expression of a cell
//
// It is a separate package because package speedup does not need gonum/plot.
package chart

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/plotstyle"
	"github.com/perijove/perijove/lib/speedup"
)

// A Chart is the chart of a result, in the style of package plotstyle.
type Chart struct {
	// Width and Height are the size of the picture, in points.
	Width, Height vg.Length
	Title         string // title above the picture

	result *speedup.Result
}

// New returns a chart of the result. It shows the measured points with their intervals,
// the ideal line, a ceiling at the number of cores, a shaded zone with more workers
// than cores, and the laws of [speedup.Result.Fits], with their parameters in the
// caption.
func New(r *speedup.Result) *Chart {
	c := &Chart{Width: 5.25 * vg.Inch, Title: "Speedup", result: r}
	s := c.stack()
	s.Width = c.Width
	c.Height = s.HeightFor(panelsHeight)
	return c
}

// panelsHeight is the height of both panels with their axes.
const panelsHeight = 265

// stack returns the panels with their title, legend and notes.
func (c *Chart) stack() *plotstyle.Plot {
	speedups := c.speedupPlot()
	speedups.Title.Text = c.Title
	c.addLegend(speedups)
	s := plotstyle.Stack([]float64{0.64, 0.36}, speedups, c.efficiencyPlot())
	for _, n := range c.result.Notes() {
		note := plotstyle.Note{Text: n.Text}
		if n.Warning {
			note.Color = plotstyle.Warn
		}
		s.Caption = append(s.Caption, note)
	}
	for _, text := range c.result.FitNotes() {
		s.Caption = append(s.Caption, plotstyle.Note{Text: text})
	}
	return s
}

// String describes the chart in words.
func (c *Chart) String() string {
	var parts []string
	for _, s := range c.result.Series {
		var points []string
		for _, p := range s.Points {
			points = append(points, fmt.Sprintf("%d → %.2f", p.Workers, p.Speedup.Median))
		}
		parts = append(parts, cmp.Or(s.Name, "this case")+": "+strings.Join(points, ", "))
	}
	return "Speedup by workers. " + strings.Join(parts, "; ") + ". " + c.result.Notes()[0].Text
}

// SVG returns the chart as an SVG document whose description has the measured data.
func (c *Chart) SVG() string {
	return plotstyle.SVG(c, c.Width, c.Height, c.Title, c.String())
}

// WriterTo returns the chart in a format of gonum: svg, png, pdf …
func (c *Chart) WriterTo(width, height vg.Length, format string) (io.WriterTo, error) {
	return plotstyle.WriterTo(c, width, height, format, c.Title, c.String())
}

// Draw draws the chart to any canvas of gonum/plot.
func (c *Chart) Draw(dc draw.Canvas) { c.stack().Draw(dc) }
