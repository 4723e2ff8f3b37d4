package chart

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"

	"github.com/perijove/perijove/lib/speedup"
)

// basePlot has the axes of both panels.
func basePlot(r *speedup.Result) *plot.Plot {
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
