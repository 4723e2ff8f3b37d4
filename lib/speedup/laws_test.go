package speedup

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// follow returns the result of simulated rounds in which the speedup of a case is
// of(n), apart from noise.
func follow(opts Options, cores float64, rounds int, noise float64, of func(n float64) float64) *Result {
	rng := rand.New(rand.NewPCG(3, 3))
	all := make([]Round, rounds)
	for i := range all {
		all[i] = Round{Before: time.Second, After: time.Second}
		var times []time.Duration
		for _, n := range opts.Workers {
			s := of(float64(n)) * (1 + noise*(rng.Float64()-.5))
			if opts.Work != nil {
				s /= opts.Work(n)
			}
			times = append(times, time.Duration(1e9/s))
		}
		all[i].Times = [][]time.Duration{times}
	}
	return Summarize(opts, []string{"x"}, "serial", cores, all)
}

func TestLawsAreFoundAgain(t *testing.T) {
	counts := []int{1, 2, 4, 8, 16}
	for _, tt := range []struct {
		law    Law
		scaled bool
		want   []float64
	}{
		{Amdahl, false, []float64{.1}},
		{Amdahl, false, []float64{0}},
		{USL, false, []float64{.05, .002}},
		{USL, false, []float64{.2, 0}},
		{USL, false, []float64{0, .01}},
		{Gustafson, true, []float64{.15}},
	} {
		opts := Options{Workers: counts}
		if tt.scaled {
			opts.Work = func(n int) float64 { return .3 + .7*float64(n) }
		}
		r := follow(opts, 16, 7, 0, func(n float64) float64 { return tt.law.Speedup(n, tt.want...) })
		found := false
		for _, f := range r.Fits(0) {
			if f.Law != tt.law {
				continue
			}
			found = true
			for i, p := range f.Parameters {
				if math.Abs(p.Value.Median-tt.want[i]) > 1e-6 {
					t.Errorf("%v: %s = %v, want %v", tt.law, p.Symbol, p.Value.Median, tt.want[i])
				}
			}
			for _, n := range counts {
				if got, want := f.Speedup(float64(n)), tt.law.Speedup(float64(n), tt.want...); math.Abs(got-want) > 1e-4 {
					t.Errorf("%v with %d workers: %v, want %v", tt.law, n, got, want)
				}
			}
		}
		if !found {
			t.Errorf("%v was not fitted: %v", tt.law, r.Fits(0))
		}
	}
}

func TestFitsHaveIntervals(t *testing.T) {
	r := follow(Options{Workers: []int{1, 2, 4}}, 4, 9, .1, func(n float64) float64 { return Amdahl.Speedup(n, .1) })
	p := r.Fits(0)[0].Parameters[0].Value
	if !(p.Low < .1 && .1 < p.High) || p.High-p.Low > .1 {
		t.Errorf("f = %+v, want an interval around 0.1", p)
	}
	if got := r.Fits(0)[0].String(); !strings.HasPrefix(got, "Amdahl's law, f = 0.") || !strings.Contains(got, "[") {
		t.Errorf("the fit is %q", got)
	}
}

// With more workers than cores, a law would count the lack of cores as serial work.
func TestNoLawIsFittedBeyondTheCores(t *testing.T) {
	fixed := Options{Workers: []int{1, 2, 3, 4, 8}}
	independent := func(cores float64) func(float64) float64 {
		return func(n float64) float64 { return min(n, cores) }
	}
	for cores, want := range map[float64]int{1: 0, 1.5: 0, 2: 1, 3: 1, 4: 2, 8: 2} {
		fits := follow(fixed, cores, 7, 0, independent(cores)).Fits(0)
		if len(fits) != want {
			t.Errorf("%v cores: %d fits, want %d", cores, len(fits), want)
		}
		for _, f := range fits {
			for _, p := range f.Parameters {
				if p.Value.Median > 1e-9 {
					t.Errorf("%v cores: %v of independent work", cores, f)
				}
			}
		}
	}
	if f := follow(fixed, 1, 7, 0, independent(1)).Series[0].Points[1].KarpFlatt; !math.IsNaN(f) {
		t.Errorf("Karp–Flatt of 2 workers on 1 core is %v", f)
	}
}

func TestScaledWork(t *testing.T) {
	r := follow(Options{Workers: []int{1, 2}, Work: func(n int) float64 { return float64(n) }}, 2, 7, 0, func(n float64) float64 { return n })
	if p := r.Series[0].Points[1]; math.Abs(p.Speedup.Median-2) > 1e-6 || !math.IsNaN(p.KarpFlatt) {
		t.Errorf("twice as much in the same time is %+v, want a speedup of 2", p)
	}
	if text := r.String(); !strings.Contains(text, "the work grows with the workers") || !strings.Contains(text, "Gustafson's law, S(n) = n − s(n − 1), fitted up to 2 cores: x s = 0.000") {
		t.Errorf("the table's notes:\n%s", text)
	}
}

func TestSummary(t *testing.T) {
	two := func(n float64) float64 { return min(n, 2) }
	r := simulate([]int{1, 2, 4}, 2, 7, 0, []string{"a", "b"}, two, func(n float64) float64 { return 1 })
	text := r.Summary()
	for _, want := range []string{"With 2 workers on 2 cores, **a** gained **2.00 ×** [2.00, 2.00], **b** gained **1.00 ×**",
		"The difference between a and b is larger than the uncertainty.", "With 4 workers, more than there are cores: "} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Disturbed") {
		t.Errorf("the summary warns: %s", text)
	}
	if text := simulate([]int{1, 2}, 2, 7, 2, []string{"a", "b"}, two, two).Summary(); !strings.Contains(text, "overlap") || !strings.Contains(text, "**Disturbed:**") {
		t.Errorf("the summary of noise is %q", text)
	}
	if text := simulate([]int{1}, 2, 1, 0, []string{""}, two).Summary(); !strings.Contains(text, "With 1 worker on 2 cores, **this case** gained **1.00 ×**.") {
		t.Errorf("the summary of one point is %q", text)
	}
}
