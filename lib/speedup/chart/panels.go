package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/perijove/perijove/lib/plotstyle"
	"github.com/perijove/perijove/lib/speedup"
)

// basePlot returns a plot with the horizontal axis and shaded zone of both panels.
func basePlot(r *speedup.Result) *plot.Plot {
	p := plot.New()
	plotstyle.Workers(p, r.Workers)
	p.X.Padding, p.Y.Padding = 0, 0
	p.Add(oversubscribedZone{from: zoneStart(r)})
	return p
}

func (c *Chart) speedupPlot() *plot.Plot {
	r := c.result
	p := basePlot(r)
	p.Y.Label.Text = "speedup, T1 / T"
	if r.Work != nil {
		p.Y.Label.Text = "scaled speedup, work × T1 / T"
	}
	p.Y.Min, p.Y.Max = 0, topSpeedup(r)
	p.Add(idealLine{cores: r.Cores})
	colors := c.colors()
	for i, s := range r.Series {
		for _, f := range r.Fits(i) {
			p.Add(lawCurve{f, fitStyle(f, colors[i])})
		}
		p.Add(points{series: s, value: func(p speedup.Point) speedup.Estimate { return p.Speedup }, color: colors[i], shift: c.shift(i)})
	}
	return p
}

func (c *Chart) efficiencyPlot() *plot.Plot {
	r := c.result
	p := basePlot(r)
	p.Y.Label.Text = "efficiency, speedup / workers"
	p.Y.Min, p.Y.Max = 0, 1.1
	for _, s := range r.Series {
		for _, pt := range s.Points {
			p.Y.Max = max(p.Y.Max, pt.Efficiency*1.1)
		}
	}
	p.Y.Tick.Marker = plotstyle.Ticks{Unit: plotstyle.Percent}
	colors := c.colors()
	for i, s := range r.Series {
		p.Add(points{series: s, small: true, value: func(p speedup.Point) speedup.Estimate {
			return speedup.Estimate{Median: p.Efficiency, Low: math.NaN(), High: math.NaN()}
		}, color: colors[i], shift: c.shift(i)})
	}
	return p
}

// shift returns the horizontal offset of series i. It keeps equal values of several
// series visible.
func (c *Chart) shift(i int) vg.Length {
	return vg.Length(2*i-len(c.result.Series)+1) * 2.6
}

// zoneStart returns the left end of the shaded zone: the middle between the number of
// cores and the next larger worker count, or infinity if no larger count was measured.
func zoneStart(r *speedup.Result) float64 {
	beyond := math.Inf(1)
	for _, n := range r.Workers {
		if float64(n) > r.Cores {
			beyond = min(beyond, float64(n))
		}
	}
	return math.Sqrt(r.Cores * beyond) // the middle on a logarithmic axis
}

// topSpeedup returns the upper end of the speedup axis. It is above all measured values
// and, if there are enough workers to reach the ceiling, above the ceiling.
func topSpeedup(r *speedup.Result) float64 {
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
