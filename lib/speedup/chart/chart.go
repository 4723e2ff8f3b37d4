// Package chart draws the results of package speedup: speedup over the number of
// workers, and efficiency below it.
//
//	res, err := speedup.Measure(ctx, opts, cases...)
//	display.Show(chart.New(res)) // or as the last expression of a cell
//
// It is apart from package speedup because it needs gonum/plot.
package chart

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/perijove/perijove/lib/speedup"
)

// A Chart is the picture of a result. In a notebook it shows as SVG.
type Chart struct {
	// Width and Height of the picture, in points.
	Width, Height vg.Length
	Title         string // above the picture

	result *speedup.Result
}

// New returns a chart of the result: measured points with their intervals, the
// ideal line, the ceiling at the cores, and the zone beyond them shaded.
func New(r *speedup.Result) *Chart {
	return &Chart{Width: 6.6 * vg.Inch, Height: 5.2 * vg.Inch, Title: "Speedup", result: r}
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

// SVG returns the chart as a document, with its data as description.
func (c *Chart) SVG() string {
	canvas := vgsvg.New(c.Width, c.Height)
	c.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		panic("speedup: writing to memory failed: " + err.Error()) // a bytes.Buffer does not fail
	}
	return addDescription(b.String(), c.Title, c.String())
}

// fontFallbacks follow Liberation Sans, which browsers seldom have, with fonts
// of the same widths.
const fontFallbacks = "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"

// addDescription adds a title and a description to an SVG document.
func addDescription(svg, title, text string) string {
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans;", fontFallbacks)
	start := strings.Index(svg, "<svg")
	end := start + strings.Index(svg[start:], ">") + 1
	return svg[:start] + strings.Replace(svg[start:end], "<svg", `<svg role="img"`, 1) +
		"\n<title>" + html.EscapeString(title) + "</title>\n<desc>" + html.EscapeString(text) + "</desc>" + svg[end:]
}

// Draw draws the chart to any canvas of gonum/plot.
func (c *Chart) Draw(dc draw.Canvas) {
	dc.SetColor(color.White)
	dc.Fill(dc.Rectangle.Path())
	dc = draw.Crop(dc, 10, -14, 8, -10)

	dc.FillText(textStyle(14, inkColor, true), vg.Point{X: dc.Min.X, Y: dc.Max.Y - 13}, c.Title)
	legendHeight := drawLegend(draw.Crop(dc, 0, 0, 0, -24), c.legend())
	captionHeight := c.drawCaption(dc)

	body := draw.Crop(dc, 0, 0, captionHeight+8, -(24 + legendHeight + 6))
	split := body.Min.Y + 0.29*(body.Max.Y-body.Min.Y)
	plots := [][]*plot.Plot{{c.speedupPlot()}, {c.efficiencyPlot()}}
	upper, lower := body, body
	upper.Min.Y, lower.Max.Y = split+6, split-2
	left, right := margins(plots, upper, lower)
	for i, panel := range []draw.Canvas{upper, lower} {
		p := plots[i][0]
		l, r := ownMargins(p, panel)
		p.Draw(draw.Crop(panel, left-l, -(right - r), 0, 0))
	}
}

// margins returns the margins that align the data areas of both panels.
func margins(plots [][]*plot.Plot, panels ...draw.Canvas) (left, right vg.Length) {
	for i, panel := range panels {
		l, r := ownMargins(plots[i][0], panel)
		left, right = max(left, l), max(right, r)
	}
	return left, right
}

func ownMargins(p *plot.Plot, panel draw.Canvas) (left, right vg.Length) {
	data := p.DataCanvas(panel)
	return data.Min.X - panel.Min.X, panel.Max.X - data.Max.X
}
