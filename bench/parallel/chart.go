package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/display/plotpng"
	"github.com/perijove/perijove/lib/plotstyle"
)

// A drawing is the data of the chart. It is stored in a file beside the chart, so that
// -redraw can draw the chart again.
type drawing struct {
	Caption string `json:"caption"`
	Results []bar  `json:"results"`
}

// A bar is one measure. Median is the ratio by which this library is better than the other
// side, Python or plain Go.
type bar struct {
	Name     string  `json:"name"`
	Measured string  `json:"measured"` // result of this library, with its unit
	Median   float64 `json:"median"`
	Low      float64 `json:"low"` // Low and High are the ends of the 95 % interval
	High     float64 `json:"high"`
	Goal     float64 `json:"goal,omitempty"`
}

func newDrawing(results []*result, caption string) drawing {
	d := drawing{Caption: caption}
	for _, r := range results {
		q := r.ratio()
		b := bar{Name: r.name, Measured: number(summarize(r.ours).median) + " " + r.unit, Median: q.median, Low: q.low, High: q.high}
		switch {
		case r.goal > 0:
			b.Goal = r.goal
		case r.reach > 0:
			b.Goal = r.reach / summarize(r.theirs).median
		}
		d.Results = append(d.Results, b)
	}
	return d
}

func readDrawing(file string) (d drawing, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("cannot read the data of the chart in %s: %w", file, err)
	}
	return d, nil
}

// save writes the drawing as NAME.json, NAME.svg and NAME.png.
func (d drawing) save(name string) error {
	data, err := json.MarshalIndent(d, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".json", append(data, '\n'), 0o666); err != nil {
		return err
	}
	p := d.plot()
	width, height := 9.4*vg.Inch, vg.Length(len(d.Results))*19+120
	if err := p.Save(width, height, name+".svg"); err != nil {
		return err
	}
	picture, err := plotpng.Encode(p, width, height, 144)
	if err != nil {
		return err
	}
	return os.WriteFile(name+".png", picture, 0o666)
}

// plot returns the chart: the ratio of each measure with its interval and its goal, and
// a line at ratio 1, on a logarithmic axis.
func (d drawing) plot() *plotstyle.Plot {
	p := plot.New()
	p.Title.Text = "Package mp beside Python's multiprocessing and plain Go"
	p.X.Label.Text = "times better: ratio of medians with its interval of 95 %"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plotstyle.LogTicks{Unit: plotstyle.Times}
	p.X.Min, p.X.Max = 0.9, 1.1
	names := make([]string, len(d.Results))
	for i, b := range d.Results {
		p.X.Min, p.X.Max = min(p.X.Min, b.Low*0.9), max(p.X.Max, b.High*1.2)
		names[len(names)-1-i] = b.Name + "  (" + b.Measured + ")"
	}
	if len(names) > 0 {
		p.NominalY(names...)
	}
	p.Y.Min, p.Y.Max = -0.6, float64(len(d.Results))-0.4
	p.Add(bars(d.Results))
	p.Legend.Add("measured", sample{glyph: measuredGlyph})
	p.Legend.Add("goal", sample{glyph: goalGlyph})
	p.Legend.Add("equal", sample{line: equalLine})
	s := plotstyle.New(p)
	s.Caption = []plotstyle.Note{{Text: d.Caption}}
	return s
}

var (
	measuredGlyph = draw.GlyphStyle{Color: plotstyle.Goroutines, Radius: 3.5, Shape: draw.CircleGlyph{}}
	goalGlyph     = draw.GlyphStyle{Color: plotstyle.Processes, Radius: 4.5, Shape: draw.CrossGlyph{}}
	equalLine     = draw.LineStyle{Color: plotstyle.Ideal, Width: 1.2, Dashes: []vg.Length{4, 3}}
)

// bars draws the measures, the first at the top.
type bars []bar

// Plot implements plot.Plotter.
func (bs bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.StrokeLine2(equalLine, x(1), c.Min.Y, x(1), c.Max.Y)
	style := draw.LineStyle{Color: plotstyle.Goroutines, Width: 1.3}
	for i, b := range bs {
		at := y(float64(len(bs) - 1 - i))
		c.StrokeLine2(style, x(b.Low), at, x(b.High), at)
		for _, end := range []float64{b.Low, b.High} {
			c.StrokeLine2(style, x(end), at-2.6, x(end), at+2.6)
		}
		c.DrawGlyph(measuredGlyph, vg.Point{X: x(b.Median), Y: at})
		if b.Goal > 0 && b.Goal >= p.X.Min && b.Goal <= p.X.Max {
			c.DrawGlyph(goalGlyph, vg.Point{X: x(b.Goal), Y: at})
		}
	}
}

// A sample is the sample of a legend entry.
type sample struct {
	glyph draw.GlyphStyle
	line  draw.LineStyle
}

// Thumbnail implements plot.Thumbnailer.
func (s sample) Thumbnail(c *draw.Canvas) {
	center := c.Center()
	if s.line.Width > 0 {
		c.StrokeLine2(s.line, c.Min.X, center.Y, c.Max.X, center.Y)
	}
	if s.glyph.Shape != nil {
		c.DrawGlyph(s.glyph, center)
	}
}

// baseName returns a file's name without the extension .svg, .png or .json.
func baseName(file string) string {
	for _, ext := range []string{".svg", ".png", ".json"} {
		file = strings.TrimSuffix(file, ext)
	}
	return file
}
