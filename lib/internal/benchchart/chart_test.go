package benchchart

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestChart(t *testing.T) {
	two := []Sample{
		{Benchmark: "fast", Run: "before", Values: []float64{1e-6, 1.1e-6, 1.2e-6}, Median: 1.1e-6, Low: 1e-6, High: 1.2e-6},
		{Benchmark: "fast", Run: "after", Values: []float64{0.9e-6, 0.8e-6}, Median: 0.85e-6, Low: math.NaN(), High: math.NaN()},
	}
	wide := append(two[:2:2], Sample{Benchmark: "slow", Run: "before", Values: []float64{1e-3}, Median: 1e-3, Low: math.NaN(), High: math.NaN()})
	for _, test := range []struct {
		samples []Sample
		points  int
		has     []string
	}{
		{two[:1], 3, []string{"fast", "µs"}}, {two, 5, []string{"before", "after"}}, {wide, 6, []string{"slow", "100 µs", "10 µs"}},
		{[]Sample{{Benchmark: "zero", Values: []float64{0}, Low: math.NaN(), High: math.NaN()}}, 1, []string{"zero"}},
	} {
		svg := New(test.samples...).SVG()
		if n := strings.Count(svg, "fill-opacity"); n != test.points {
			t.Errorf("%d points, want %d", n, test.points)
		}
		for _, text := range append(test.has, "time per operation") {
			if !strings.Contains(svg, text) {
				t.Errorf("%q is missing in the chart of %s", text, fmt.Sprint(test.samples))
			}
		}
		if strings.Contains(svg, "NaN") {
			t.Errorf("NaN in the chart of %v", test.samples)
		}
	}
	if got := Name(strings.Repeat("ä", 40)); got != strings.Repeat("ä", 29)+"…" {
		t.Errorf("a long name: %s", got)
	}
}
