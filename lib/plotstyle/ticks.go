package plotstyle

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
)

// Ticks is the plot.Ticker of a linear axis. Its ticks are at round numbers.
type Ticks struct {
	Unit Unit

	most int // the largest number of labels; 0 means usualTicks
}

// usualTicks is the number of labels where the length of the axis is not known.
const usualTicks = 7

// Ticks implements plot.Ticker.
func (t Ticks) Ticks(low, high float64) []plot.Tick {
	if !(high > low) || math.IsInf(high-low, 0) {
		return nil
	}
	most := t.most
	if most < 2 {
		most = usualTicks
	}
	for ; ; most++ {
		if ticks := t.atMost(most, low, high); len(ticks) >= 2 || most > 10 {
			return ticks
		}
	}
}

func (t Ticks) atMost(most int, low, high float64) []plot.Tick {
	m := t.Unit.multipleOf(max(math.Abs(low), math.Abs(high)))
	step := roundStep((high-low)/m.factor, most, t.Unit == BinaryBytes) * m.factor
	if t.Unit == Plain && decimalsOf(step/m.factor) > 3 {
		m = multiple{1, ""} // all digits rather than many decimals
	}
	if !(step > 0) || math.IsInf(low/step, 0) {
		return nil // the step is outside of the range of float64
	}
	var ticks []plot.Tick
	first := math.Ceil(low/step - 1e-9)
	for i := 0.0; ; i++ {
		v := (first + i) * step
		if v > high+step*1e-9 || i > float64(most) {
			return ticks
		}
		ticks = append(ticks, plot.Tick{Value: min(max(v, low), high), Label: m.format(v, step)})
	}
}

// roundStep returns the smallest round step that divides span into fewer than most
// parts. Round steps are 1, 2, 2.5 and 5 times a power of ten, or, if binary is true,
// powers of two.
func roundStep(span float64, most int, binary bool) float64 {
	least := span / float64(most-1)
	if binary {
		return math.Pow(2, math.Ceil(math.Log2(least)-1e-9))
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, f := range []float64{1, 2, 2.5, 5} {
		if f*power >= least*(1-1e-9) {
			return f * power
		}
	}
	return 10 * power
}

// LogTicks is the plot.Ticker of a logarithmic axis (plot.LogScale). Its ticks have
// labels at powers of Base.
type LogTicks struct {
	Unit Unit
	Base int // 2 or 10; 0 means 2 for BinaryBytes, else 10
}

// Ticks implements plot.Ticker.
func (t LogTicks) Ticks(low, high float64) []plot.Tick {
	if !(low > 0 && high > low) || math.IsInf(high, 0) {
		return nil
	}
	base := float64(t.Base)
	if base < 2 {
		base = 10
		if t.Unit == BinaryBytes {
			base = 2
		}
	}
	ticks := t.powers(low, high, base)
	if labels(ticks) >= 2 {
		return ticks
	}
	// The axis has fewer than two powers of the base: use the ticks of a linear axis.
	return Ticks{Unit: t.Unit, most: 5}.Ticks(low, high)
}

func (t LogTicks) powers(low, high, base float64) []plot.Tick {
	logOf := func(x float64) float64 { return math.Log(x) / math.Log(base) }
	var ticks []plot.Tick
	const slack = 1e-9
	few := logOf(high)-logOf(low) < 2.5 // decades: then 2 and 5 also have labels
	for e := math.Floor(logOf(low) - slack); e <= math.Ceil(logOf(high)+slack); e++ {
		for i := 1.0; i < base; i++ {
			v := i * math.Pow(base, e)
			if v < low*(1-slack) || v > high*(1+slack) {
				continue
			}
			tick := plot.Tick{Value: min(max(v, low), high)}
			if i == 1 || base == 10 && few && (i == 2 || i == 5) {
				tick.Label = t.label(v)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

func (t LogTicks) label(v float64) string {
	if t.Unit == Seconds && v > 1 {
		return multiple{1, " s"}.format(v, v) // a power of ten seconds is not a round number of minutes
	}
	return t.Unit.multipleOf(v).format(v, v)
}

// CountTicks is a plot.Ticker with ticks only at the numbers in the slice, such as the
// measured counts of workers.
type CountTicks []int

// Ticks implements plot.Ticker.
func (t CountTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, n := range slices.Compact(slices.Sorted(slices.Values(t))) {
		if v := float64(n); v >= low && v <= high {
			ticks = append(ticks, plot.Tick{Value: v, Label: Plain.multipleOf(1).format(v, 1)})
		}
	}
	return ticks
}

// Workers sets up the horizontal axis of p for counts of workers. The axis is
// logarithmic, so 1, 2, 4 and 8 have equal distances, and has ticks at counts, which
// must be positive.
func Workers(p *plot.Plot, counts []int) {
	p.X.Label.Text = "workers"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, CountTicks(counts)
	if len(counts) > 0 && slices.Min(counts) > 0 {
		low, high := float64(slices.Min(counts)), float64(slices.Max(counts))
		pad := max(math.Pow(high/low, 0.07), 1.12)
		p.X.Min, p.X.Max = low/pad, high*pad
	}
}

func labels(ticks []plot.Tick) int {
	n := 0
	for _, t := range ticks {
		if !t.IsMinor() {
			n++
		}
	}
	return n
}
