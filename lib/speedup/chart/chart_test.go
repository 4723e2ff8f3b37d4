package chart

import (
	"encoding/xml"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/plotstyle"
	"github.com/perijove/perijove/lib/speedup"
)

// simulate returns the result of simulated rounds. n workers are speed(n) times as fast
// as the baseline of 200 ms. Each time is longer by a random share of up to noise.
func simulate(workers []int, cores float64, rounds int, noise float64, names []string, speed ...func(n float64) float64) *speedup.Result {
	rng := rand.New(rand.NewPCG(7, 7))
	slow := func(x float64) time.Duration { return time.Duration(x * (1 + noise*rng.Float64()) * 1e9) }
	all := make([]speedup.Round, rounds)
	for i := range all {
		all[i] = speedup.Round{Before: slow(.2), After: slow(.2)}
		for _, f := range speed {
			var times []time.Duration
			for _, w := range workers {
				times = append(times, slow(.2/f(float64(w))))
			}
			all[i].Times = append(all[i].Times, times)
		}
	}
	return speedup.Summarize(speedup.Options{Workers: workers}, names, "serial", cores, all)
}

func upTo(cores float64) func(float64) float64 {
	return func(n float64) float64 { return min(n, cores) }
}

func amdahl(f float64) func(float64) float64 {
	return func(n float64) float64 { return 1 / (f + (1-f)/n) }
}

// checkSVG checks that the document is complete and counts its circles by radius. Every
// circle is a measured point.
func checkSVG(t *testing.T, svg string) map[string]int {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
	colors := regexp.MustCompile(`(?:fill|stroke)[:=]"?([^";]*)`).FindAllStringSubmatch(svg, -1)
	if len(colors) == 0 {
		t.Error("the picture has no colours")
	}
	for _, m := range colors {
		if !regexp.MustCompile(`^(none|#[0-9a-f]{6})$`).MatchString(m[1]) {
			t.Errorf("the picture has a colour %q", m[1])
		}
	}
	for _, bad := range []string{"NaN", "Inf"} {
		if strings.Contains(svg, bad) {
			t.Errorf("the picture has %s in it", bad)
		}
	}
	radii := map[string]int{}
	for _, m := range regexp.MustCompile(`<path d="M[^"A]*A([0-9.]+),[^"]*Z"`).FindAllStringSubmatch(svg, -1) {
		radii[m[1]]++
	}
	return radii
}

func TestChartHasOnePointPerMeasurement(t *testing.T) {
	three := []string{"one core", "goroutines", "processes"}
	tests := []struct {
		name     string
		result   *speedup.Result
		contains []string
		lacks    []string
	}{
		{"few workers", simulate([]int{1, 2, 4}, 2, 7, .01, three, upTo(1), upTo(2), upTo(2)),
			[]string{"ceiling: 2 cores", "more workers than cores", "ideal", "goroutines", "T1 = 2", "fit by Amdahl"}, []string{"USL"}},
		{"many workers", simulate([]int{1, 2, 3, 4, 5, 6, 7, 8}, 2, 7, .01, three, upTo(1), upTo(2), upTo(2)), nil, nil},
		{"one point", simulate([]int{1}, 2, 1, 0, []string{"x"}, upTo(2)), []string{"one round"}, []string{"ceiling", "more workers"}},
		{"noise", simulate([]int{1, 2, 4}, 2, 7, 2, []string{"x"}, upTo(2)), []string{"disturbed"}, nil},
		{"a fit", simulate([]int{1, 2, 4, 8}, 64, 7, 0, []string{"x"}, amdahl(.1)), []string{"fit by Amdahl", "fit by USL", "x f = 0.1", "σ = 0.1"}, []string{"ceiling"}},
		{"half a core", simulate([]int{1, 2}, .5, 7, 0, []string{"x"}, upTo(.5)), []string{"ceiling: 0.5 cores"}, []string{"Amdahl"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			svg := New(tt.result).SVG()
			radii := checkSVG(t, svg)
			want := len(tt.result.Workers) * len(tt.result.Series)
			if radii["3.4"] != want || radii["2.4"] != want || len(radii) != 2 {
				t.Errorf("circles by radius %v, want %d of speedup and of efficiency", radii, want)
			}
			for _, s := range tt.contains {
				if !strings.Contains(svg, s) {
					t.Errorf("the picture lacks %q", s)
				}
			}
			for _, s := range tt.lacks {
				if strings.Contains(svg, s) {
					t.Errorf("the picture has %q", s)
				}
			}
		})
	}
}

// Workers need not include 1, and a law may predict more than the chart shows.
func TestCurvesStayInTheChart(t *testing.T) {
	for name, result := range map[string]*speedup.Result{
		"without 1":  simulate([]int{2, 3}, 4, 7, .01, []string{"x"}, amdahl(.1)),
		"only many":  simulate([]int{32, 64}, 64, 7, .01, []string{"x"}, upTo(64)),
		"noisy fits": simulate([]int{2, 3, 4}, 4, 7, 2, []string{"x", "y"}, upTo(4), amdahl(.5)),
	} {
		if outside := regexp.MustCompile(`[ML](-[0-9.]+,[0-9.]+|[0-9.]+,-[0-9.]+)`).FindString(New(result).SVG()); outside != "" {
			t.Errorf("%s: a line goes to %s", name, outside[1:])
		}
	}
}

func TestChartDescribesItself(t *testing.T) {
	svg := New(simulate([]int{1, 2}, 2, 7, 0, []string{"a<b"}, upTo(2))).SVG()
	for _, want := range []string{`xmlns="http://www.w3.org/2000/svg"`, "viewBox=", `role="img"`, "<title>Speedup</title>",
		"a&lt;b: 1 → 1.00, 2 → 2.00", "Arial"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
}

func TestWarningsAreInTheCaption(t *testing.T) {
	r := simulate([]int{1, 2}, 2, 7, 0, []string{"same", "other"}, upTo(2), func(n float64) float64 { return n / 10 })
	if svg := New(r).SVG(); !strings.Contains(svg, "10.00 times as long") {
		t.Error("the picture does not say that the cases differ")
	}
}

// A backend has the same color whatever other cases the chart has.
func TestABackendHasOneColor(t *testing.T) {
	both := upTo(2)
	for _, names := range [][]string{{"processes"}, {"goroutines", "processes"}, {"one at a time", "goroutines", "processes"}, {"a", "processes", "b", "c", "d"}} {
		speed := make([]func(float64) float64, len(names))
		for i := range speed {
			speed[i] = both
		}
		r := simulate([]int{1, 2}, 2, 7, 0, names, speed...)
		for i, c := range New(r).colors() {
			if want := plotstyle.Processes; (names[i] == "processes") != (c == want) {
				t.Errorf("%v: %s is %v", names, names[i], c)
			}
		}
	}
}
