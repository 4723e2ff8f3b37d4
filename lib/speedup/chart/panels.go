package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/perijove/perijove/lib/speedup"
)

func (c *Chart) speedupPlot() *plot.Plot {
	r := c.result
	p := basePlot(r)
	p.Y.Label.Text = "speedup, T1 / T"
	p.Y.Min, p.Y.Max = 0, topSpeedup(r)
	p.Y.Tick.Marker = plot.ConstantTicks(niceTicks(p.Y.Max))
	p.X.Tick.Marker = withoutLabels(p.X.Tick.Marker)
	p.Add(oversubscribedZone{from: zoneStart(r), ticks: p.Y.Tick.Marker})
	p.Add(idealLine{cores: r.Cores})
	for i, s := range r.Series {
		if f, ok := r.Amdahl(s); ok {
			p.Add(amdahlCurve{f: f, to: min(r.Cores, float64(slices.Max(r.Workers))), color: seriesColor(i)})
		}
		p.Add(points{series: s, value: func(p speedup.Point) speedup.Estimate { return p.Speedup }, color: seriesColor(i), shift: c.shift(i)})
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
	p.Add(oversubscribedZone{from: zoneStart(r), ticks: p.Y.Tick.Marker})
	for i, s := range r.Series {
		p.Add(points{series: s, small: true, value: func(p speedup.Point) speedup.Estimate {
			return speedup.Estimate{Median: p.Efficiency, Low: math.NaN(), High: math.NaN()}
		}, color: seriesColor(i), shift: c.shift(i)})
	}
	return p
}

// shift returns how far series i is moved sideways, so that equal values of
// several series stay visible.
func (c *Chart) shift(i int) vg.Length {
	return vg.Length(2*i-len(c.result.Series)+1) * 2.6
}

// zoneStart returns where the shaded zone begins: half-way to the first
// count beyond the cores, or at infinity if none was measured.
func zoneStart(r *speedup.Result) float64 {
	if float64(slices.Max(r.Workers)) <= r.Cores {
		return math.Inf(1)
	}
	return r.Cores + 0.5
}

// topSpeedup returns the upper end of the axis: above everything measured, and
// above the ceiling where the workers reach it.
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
