package main

import (
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours that differ for colour-blind eyes, too.
var (
	blue   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	orange = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	grey   = color.RGBA{0x99, 0x99, 0x99, 0xff}
)

// chart draws how many times better each measure is, with its interval, the
// goal and the line of equals, on a logarithmic axis.
func chart(results []*result, caption string) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = "Package mp against Python's multiprocessing and plain Go\n" + strings.ReplaceAll(caption, "; ", ";  ")
	p.Title.TextStyle.Font.Size = 10
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text = "times better (ratio of medians)"
	p.X.Label.TextStyle.Font.Size = 9
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	var names []string
	var points, goals plotter.XYs
	var spans plotter.XErrors
	for i, r := range results {
		y := float64(len(results) - 1 - i)
		q := r.ratio()
		points = append(points, plotter.XY{X: q.median, Y: y})
		spans = append(spans, struct{ Low, High float64 }{q.low - q.median, q.high - q.median})
		switch {
		case r.goal > 0:
			goals = append(goals, plotter.XY{X: r.goal, Y: y})
		case r.reach > 0:
			goals = append(goals, plotter.XY{X: r.reach / summarize(r.theirs).median, Y: y})
		}
		names = append(names, r.name+"  ("+number(summarize(r.ours).median)+" "+r.unit+")   ")
	}
	if err := addPoints(p, points, spans, goals); err != nil {
		return nil, err
	}
	equal, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(results)) - 0.5}})
	if err != nil {
		return nil, err
	}
	equal.Color, equal.Dashes = grey, []vg.Length{vg.Points(4), vg.Points(3)}
	p.Add(equal)
	// Whole decades: the layout counts the labels of ticks beyond the axis.
	p.X.Min = math.Pow(10, math.Floor(math.Log10(p.X.Min)))
	p.X.Max = math.Pow(10, math.Ceil(math.Log10(p.X.Max)))
	if err := addNames(p, points, names); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = -0.6, float64(len(results))+0.6 // room for the legend
	p.Legend.Top, p.Legend.Padding = true, vg.Points(2)
	return p, nil
}

// addNames writes the names to the left of the axis. As labels of its ticks
// they would be given the same room at the right, too.
func addNames(p *plot.Plot, points plotter.XYs, names []string) error {
	at := make(plotter.XYs, len(points))
	styles := make([]text.Style, len(points))
	for i, q := range points {
		at[i] = plotter.XY{X: p.X.Min, Y: q.Y}
		styles[i] = p.Y.Tick.Label
		styles[i].XAlign, styles[i].YAlign = text.XRight, text.YCenter
	}
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: at, Labels: names})
	if err != nil {
		return err
	}
	labels.TextStyle = styles
	p.Add(labels)
	p.Y.Tick.Marker, p.Y.LineStyle.Width = plot.ConstantTicks{}, 0
	return nil
}

func addPoints(p *plot.Plot, points plotter.XYs, spans plotter.XErrors, goals plotter.XYs) error {
	bars, err := plotter.NewXErrorBars(struct {
		plotter.XYs
		plotter.XErrors
	}{points, spans})
	if err != nil {
		return err
	}
	bars.Color = blue
	dots, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: blue, Radius: vg.Points(3.5), Shape: draw.CircleGlyph{}}
	p.Add(bars, dots)
	p.Legend.Add("measured, 95 %", dots)
	if len(goals) == 0 {
		return nil
	}
	marks, err := plotter.NewScatter(goals)
	if err != nil {
		return err
	}
	marks.GlyphStyle = draw.GlyphStyle{Color: orange, Radius: vg.Points(5), Shape: draw.CrossGlyph{}}
	p.Add(marks)
	p.Legend.Add("goal", marks)
	return nil
}

// save writes the chart as SVG and PNG.
func save(results []*result, caption, name string) error {
	p, err := chart(results, caption)
	if err != nil {
		return err
	}
	height := vg.Length(len(results))*vg.Centimeter*0.75 + 5*vg.Centimeter
	for _, ext := range []string{".svg", ".png"} {
		if err := p.Save(26*vg.Centimeter, height, name+ext); err != nil {
			return err
		}
	}
	return nil
}
