package plotstyle

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// isNominal reports whether an axis has names instead of numbers. Plot.NominalX and
// NominalY make such an axis: it has constant ticks without lines.
func isNominal(a *plot.Axis) bool {
	_, constant := a.Tick.Marker.(plot.ConstantTicks)
	return constant && (a.Tick.Length <= 0 || a.Tick.Width <= 0)
}

// fitNamesX makes the names below the axis fit. It breaks them into lines, or rotates
// them if a single word is too long for a line.
func (l layout) fitNamesX(a *plot.Axis, data draw.Canvas) {
	ticks := within(a.Tick.Marker.Ticks(a.Min, a.Max), a.Min, a.Max)
	width := spacing(a, ticks, data.Size().X) - 8
	style := a.Tick.Label
	turn := false
	for _, t := range ticks {
		for _, word := range strings.Fields(t.Label) {
			turn = turn || style.Width(word) > width
		}
	}
	for i, t := range ticks {
		if turn {
			ticks[i].Label = shorten(style, t.Label, l.size.Y*0.3)
		} else {
			ticks[i].Label = strings.Join(clampLines(style, Wrap(style, t.Label, width), 4, width), "\n")
		}
	}
	if turn {
		a.Tick.Label.Rotation = math.Pi / 2
		a.Tick.Label.XAlign, a.Tick.Label.YAlign = draw.XRight, draw.YCenter
	}
	a.Tick.Marker = plot.ConstantTicks(ticks)
}

// fitNamesY breaks names at the left of the axis into lines if they are longer than
// half of the picture's width.
func (l layout) fitNamesY(a *plot.Axis, data draw.Canvas) {
	ticks := within(a.Tick.Marker.Ticks(a.Min, a.Max), a.Min, a.Max)
	style := a.Tick.Label
	lines := max(1, int(spacing(a, ticks, data.Size().Y)/lineHeight(style)))
	width := l.size.X * 0.5
	for i, t := range ticks {
		if style.Width(t.Label) > width {
			ticks[i].Label = strings.Join(clampLines(style, Wrap(style, t.Label, width), lines, width), "\n")
		}
	}
	a.Tick.Marker = plot.ConstantTicks(ticks)
}

// spacing returns the smallest distance of two ticks on an axis of the given length.
func spacing(a *plot.Axis, ticks []plot.Tick, length vg.Length) vg.Length {
	var at []float64
	for _, t := range ticks {
		at = append(at, a.Norm(t.Value))
	}
	slices.Sort(at)
	least := 1.0
	for i := 1; i < len(at); i++ {
		least = min(least, at[i]-at[i-1])
	}
	return vg.Length(least) * length
}
