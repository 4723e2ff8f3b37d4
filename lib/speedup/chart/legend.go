package chart

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/plotstyle"
	"github.com/perijove/perijove/lib/speedup"
)

// A sample is the sample of a legend entry. It has no circle, so that each circle of
// the picture is a measured point.
type sample struct {
	line   draw.LineStyle
	filled bool // a swatch instead of a line
}

// Thumbnail implements plot.Thumbnailer.
func (s sample) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	if s.filled {
		c.StrokeLine2(line(plotstyle.Grid, c.Size().Y+1.5), c.Min.X, y, c.Max.X, y)
		s.line.Width = c.Size().Y
	}
	c.StrokeLine2(s.line, c.Min.X, y, c.Max.X, y)
}

func (c *Chart) addLegend(p *plot.Plot) {
	r := c.result
	colors := c.colors()
	for i, s := range r.Series {
		if s.Name != "" {
			p.Legend.Add(s.Name, sample{line: line(colors[i], 3)})
		}
	}
	for _, f := range c.fitsForLegend() {
		p.Legend.Add("fit by "+lawName(f.Law), sample{line: fitStyle(f, plotstyle.Quiet)})
	}
	p.Legend.Add("ideal", sample{line: idealStyle})
	if most := float64(slices.Max(r.Workers)); most >= r.Cores {
		p.Legend.Add("ceiling: "+coresText(r.Cores), sample{line: ceilingStyle})
		if most > r.Cores {
			p.Legend.Add("more workers than cores", sample{line: line(zoneColor, 0), filled: true})
		}
	}
}

// fitsForLegend returns one fit for each law in the chart.
func (c *Chart) fitsForLegend() []speedup.Fit {
	var fits []speedup.Fit
	for i := range c.result.Series {
		for _, f := range c.result.Fits(i) {
			if !slices.ContainsFunc(fits, func(g speedup.Fit) bool { return g.Law == f.Law }) {
				fits = append(fits, f)
			}
		}
	}
	return fits
}

// lawName returns the name of a law, short enough for the legend.
func lawName(l speedup.Law) string {
	if l == speedup.USL {
		return "USL"
	}
	return l.String()
}

func coresText(n float64) string {
	if n == 1 {
		return "1 core"
	}
	return strconv.FormatFloat(math.Round(n*100)/100, 'g', -1, 64) + " cores"
}
