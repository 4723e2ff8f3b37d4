package plotstyle

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

func labelsOf(ticks []plot.Tick) string {
	var all []string
	for _, t := range ticks {
		if !t.IsMinor() {
			all = append(all, t.Label)
		}
	}
	return strings.Join(all, ", ")
}

func TestTicks(t *testing.T) {
	tests := []struct {
		ticker    plot.Ticker
		low, high float64
		want      string
	}{
		{Ticks{}, 0, 10, "0, 2, 4, 6, 8, 10"},
		{Ticks{}, -1, 1, "−1.0, −0.5, 0.0, 0.5, 1.0"},
		{Ticks{}, 0, 45000, "0 k, 10 k, 20 k, 30 k, 40 k"},
		{Ticks{}, 1990, 2026, "1990, 2000, 2010, 2020"},
		{Ticks{}, 1e9, 1e9 + 4, "1,000,000,000, 1,000,000,001, 1,000,000,002, 1,000,000,003, 1,000,000,004"},
		{Ticks{}, 0, 3e25, "0, 5e24, 1e25, 1.5e25, 2e25, 2.5e25, 3e25"},
		{Ticks{Unit: Seconds}, 0, 0.0025, "0.0 ms, 0.5 ms, 1.0 ms, 1.5 ms, 2.0 ms, 2.5 ms"},
		{Ticks{Unit: Seconds}, 0, 120, "0 s, 20 s, 40 s, 60 s, 80 s, 100 s, 120 s"},
		{Ticks{Unit: Seconds}, 0, 1500, "0 min, 5 min, 10 min, 15 min, 20 min, 25 min"},
		{Ticks{Unit: Bytes}, 0, 2.5e6, "0.0 MB, 0.5 MB, 1.0 MB, 1.5 MB, 2.0 MB, 2.5 MB"},
		{Ticks{Unit: BinaryBytes}, 0, 5 << 10, "0 KiB, 1 KiB, 2 KiB, 3 KiB, 4 KiB, 5 KiB"},
		{Ticks{Unit: Percent}, 0, 1, "0 %, 20 %, 40 %, 60 %, 80 %, 100 %"},
		{Ticks{Unit: Times}, 0, 2.2, "0.0×, 0.5×, 1.0×, 1.5×, 2.0×"},
		{Ticks{}, 3, 3, ""},
		{Ticks{}, 0, math.Inf(1), ""},
		{Ticks{}, math.NaN(), 1, ""},
		{Ticks{}, 0, 5e-324, ""},
		{Ticks{Unit: Seconds}, -math.MaxFloat64, math.MaxFloat64, ""},
		{LogTicks{}, 1, 1e4, "1, 10, 100, 1000, 10 k"},
		{LogTicks{}, 2, 30, "2, 5, 10, 20"},
		{LogTicks{}, 1.1, 1.4, "1.1, 1.2, 1.3, 1.4"},
		{LogTicks{Unit: Seconds}, 1e-7, 2e-3, "100 ns, 1 µs, 10 µs, 100 µs, 1 ms"},
		{LogTicks{Unit: Seconds}, 0.5, 2000, "1 s, 10 s, 100 s, 1000 s"},
		{LogTicks{Unit: BinaryBytes}, 8, 4096, "8 B, 16 B, 32 B, 64 B, 128 B, 256 B, 512 B, 1 KiB, 2 KiB, 4 KiB"},
		{LogTicks{Base: 2}, 1, 8, "1, 2, 4, 8"},
		{LogTicks{}, 0, 8, ""},
		{CountTicks{8, 1, 2, 2}, 0.5, 6, "1, 2"},
	}
	for _, tt := range tests {
		ticks := tt.ticker.Ticks(tt.low, tt.high)
		if got := labelsOf(ticks); got != tt.want {
			t.Errorf("%#v from %g to %g: %s, want %s", tt.ticker, tt.low, tt.high, got, tt.want)
		}
		for _, tick := range ticks {
			if tick.Value < tt.low || tick.Value > tt.high {
				t.Errorf("%#v from %g to %g: a tick at %g", tt.ticker, tt.low, tt.high, tick.Value)
			}
		}
	}
}

func TestColors(t *testing.T) {
	got := Colors("x", "processes", "y", "goroutines", "ideal")
	want := []color.RGBA{others[0], Processes, others[1], Goroutines, Ideal}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	names := []string{"goroutines", "a", "b", "c", "d", "e", "f"}
	seen := map[color.RGBA]string{}
	for i, c := range Colors(names...) {
		if other, ok := seen[c]; ok {
			t.Errorf("%s and %s have one colour", names[i], other)
		}
		seen[c] = names[i]
	}
}

func TestSeriesOfSeveralCallsHaveTheirColors(t *testing.T) {
	p := plot.New()
	all := []*Series{{Name: "a"}, {Name: "processes"}, {Name: "b"}, {Name: "c", Color: color.Black}}
	for _, s := range all {
		Add(p, s)
	}
	want := []color.Color{others[0], Processes, others[1], color.Black}
	for i, s := range all {
		if s.Color != want[i] {
			t.Errorf("%s has %v, want %v", s.Name, s.Color, want[i])
		}
	}
}

// Two lines of one plot never look the same if there are at most twice as many lines as
// colors.
func TestLinesThatRepeatAColorAreDashed(t *testing.T) {
	p := plot.New()
	n := len(others) + 3
	for i := range 2 * n {
		s := &Series{Name: fmt.Sprint("workers: ", i)}
		Add(p, s)
		if dashed := s.line().Dashes != nil; dashed != (i >= n) {
			t.Errorf("series %d: dashed is %v", i, dashed)
		}
	}
}
