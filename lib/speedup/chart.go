package speedup

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"math"
	"slices"
	"strings"

	xfnt "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Chart is the picture of a result: speedup over workers, and efficiency
// below it. In a notebook it shows as SVG.
type Chart struct {
	// Width and Height of the picture, in points.
	Width, Height vg.Length
	Title         string // above the picture

	result *Result
}

// Chart draws the result: measured points with their intervals, the ideal line,
// the ceiling at the cores, and the zone beyond them shaded.
func (r *Result) Chart() *Chart {
	return &Chart{Width: 6.6 * vg.Inch, Height: 5.2 * vg.Inch, Title: "Speedup", result: r}
}

// String describes the chart where it cannot be drawn.
func (c *Chart) String() string {
	var parts []string
	for _, s := range c.result.Series {
		var points []string
		for _, p := range s.Points {
			points = append(points, fmt.Sprintf("%d → %.2f", p.Workers, p.Speedup.Median))
		}
		parts = append(parts, caseName(s)+": "+strings.Join(points, ", "))
	}
	return "Speedup by workers. " + strings.Join(parts, "; ") + ". " + c.result.baseNote()
}

// SVG is the chart as a document of its own, with its data as description.
func (c *Chart) SVG() string {
	canvas := vgsvg.New(c.Width, c.Height)
	c.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		panic("speedup: writing to memory failed: " + err.Error()) // a bytes.Buffer does not fail
	}
	return describe(b.String(), c.Title, c.String())
}

// fontFallbacks follow Liberation Sans, which browsers seldom have, with fonts
// of the same widths.
const fontFallbacks = "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"

// describe adds a title and a description to an SVG document.
func describe(svg, title, text string) string {
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

// margins finds what to leave left and right so that both panels' data areas
// line up.
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

func (c *Chart) drawCaption(dc draw.Canvas) vg.Length {
	const size, lead = 9.5, 13
	lines := c.caption(dc.Max.X-dc.Min.X, textStyle(size, quietColor, false))
	y := dc.Min.Y + 2 + lead*vg.Length(len(lines)-1)
	for _, line := range lines {
		dc.FillText(textStyle(size, line.color, false), vg.Point{X: dc.Min.X, Y: y}, line.text)
		y -= lead
	}
	return 2 + lead*vg.Length(len(lines))
}

type captionLine struct {
	text  string
	color color.Color
}

// caption breaks the notes on the base and the load into lines of the given
// width; warnings have their own colour.
func (c *Chart) caption(width vg.Length, style text.Style) []captionLine {
	var lines []captionLine
	add := func(note string, col color.Color) {
		line := ""
		for _, word := range strings.Fields(note) {
			if longer := strings.TrimSpace(line + " " + word); line == "" || style.Width(longer) <= width {
				line = longer
				continue
			}
			lines = append(lines, captionLine{line, col})
			line = word
		}
		lines = append(lines, captionLine{line, col})
	}
	add(c.result.baseNote(), quietColor)
	if note := c.result.loadNote(); note != "" {
		col := color.Color(quietColor)
		if c.result.Disturbed() > 0 {
			col = warnColor
		}
		add(note, col)
	}
	for _, note := range c.result.workNotes() {
		add(note, warnColor)
	}
	return lines
}

func (c *Chart) speedupPlot() *plot.Plot {
	r := c.result
	p := basePlot(r)
	p.Y.Label.Text = "speedup, T1 / T"
	p.Y.Min, p.Y.Max = 0, r.topSpeedup()
	p.Y.Tick.Marker = plot.ConstantTicks(niceTicks(p.Y.Max))
	p.X.Tick.Marker = withoutLabels(p.X.Tick.Marker)
	p.Add(zone{from: r.oversubscribed(), ticks: p.Y.Tick.Marker})
	p.Add(reference{cores: r.Cores})
	for i, s := range r.Series {
		if f, ok := r.Amdahl(s); ok {
			p.Add(amdahlCurve{f: f, to: min(r.Cores, float64(slices.Max(r.Workers))), color: seriesColor(i)})
		}
		p.Add(points{series: s, value: func(p Point) Estimate { return p.Speedup }, color: seriesColor(i), shift: c.shift(i)})
	}
	return p
}

func (c *Chart) efficiencyPlot() *plot.Plot {
	r := c.result
	p := basePlot(r)
	p.X.Label.Text = "workers"
	p.Y.Label.Text = "efficiency"
	p.Y.Min, p.Y.Max = 0, 1.1
	for _, s := range r.Series {
		for _, pt := range s.Points {
			p.Y.Max = max(p.Y.Max, pt.Efficiency*1.1)
		}
	}
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0 %"}, {Value: 0.5, Label: "50 %"}, {Value: 1, Label: "100 %"}}
	p.Add(zone{from: r.oversubscribed(), ticks: p.Y.Tick.Marker})
	for i, s := range r.Series {
		p.Add(points{series: s, small: true, value: func(p Point) Estimate {
			return Estimate{p.Efficiency, math.NaN(), math.NaN()}
		}, color: seriesColor(i), shift: c.shift(i)})
	}
	return p
}

// shift moves a series a little sideways, so that equal values do not hide each
// other.
func (c *Chart) shift(i int) vg.Length {
	return vg.Length(2*i-len(c.result.Series)+1) * 2.6
}

// oversubscribed is where the shaded zone begins: half-way to the first count
// beyond the cores, or nowhere if none was measured.
func (r *Result) oversubscribed() float64 {
	if float64(slices.Max(r.Workers)) <= r.Cores {
		return math.Inf(1)
	}
	return r.Cores + 0.5
}

// topSpeedup leaves room above everything measured, and for the ceiling where
// the workers reach it.
func (r *Result) topSpeedup() float64 {
	top := max(1, min(r.Cores, float64(slices.Max(r.Workers))))
	for _, s := range r.Series {
		for _, p := range s.Points {
			top = max(top, p.Speedup.Median)
			if !math.IsNaN(p.Speedup.High) {
				top = max(top, p.Speedup.High)
			}
		}
	}
	return top * 1.18
}

// basePlot has the axes of both panels.
func basePlot(r *Result) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	low, high := float64(slices.Min(r.Workers)), float64(slices.Max(r.Workers))
	pad := max(0.12*(high-low), 0.35)
	p.X.Min, p.X.Max = max(0, min(low, 1)-pad), high+pad
	p.X.Tick.Marker = workerTicks(r.Workers, high-low)
	p.X.Padding, p.Y.Padding = 0, 0
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle = styleLike(axis.Label.TextStyle, 10.5, inkColor)
		axis.Tick.Label = styleLike(axis.Tick.Label, 9.5, quietColor)
		axis.LineStyle.Color = lineColor
		axis.LineStyle.Width = 0.8
		axis.Tick.LineStyle.Color = lineColor
		axis.Tick.Length = 3
	}
	return p
}

// workerTicks labels the measured counts, leaving out labels that would touch.
func workerTicks(workers []int, span float64) plot.ConstantTicks {
	sorted := slices.Sorted(slices.Values(workers))
	var ticks plot.ConstantTicks
	last := math.Inf(-1)
	for _, w := range sorted {
		t := plot.Tick{Value: float64(w)}
		if t.Value-last >= span/20 {
			t.Label = fmt.Sprint(w)
			last = t.Value
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// withoutLabels keeps the ticks' places: the panel below names them.
func withoutLabels(ticks plot.Ticker) plot.ConstantTicks {
	bare := slices.Clone(ticks.(plot.ConstantTicks))
	for i := range bare {
		bare[i].Label = ""
	}
	return bare
}

// niceTicks are up to about six round steps from 0 to top.
func niceTicks(top float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10(top)))
	for _, divisor := range []float64{5, 4, 2, 1} {
		if top/(step/divisor) <= 7 {
			step /= divisor
			break
		}
	}
	var ticks []plot.Tick
	for v := 0.0; v <= top*1.0001; v += step {
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%g", math.Round(v*100)/100)})
	}
	return ticks
}

func textStyle(size float64, col color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
	if bold {
		f.Weight = xfnt.WeightBold
	}
	return text.Style{Color: col, Font: f, Handler: plot.DefaultTextHandler}
}

func styleLike(s text.Style, size float64, col color.Color) text.Style {
	t := textStyle(size, col, false)
	s.Font, s.Color, s.Handler = t.Font, t.Color, t.Handler
	return s
}
