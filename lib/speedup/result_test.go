package speedup

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// simulate returns the result of simulated rounds. n workers are speed(n) times as fast
// as the baseline of 200 ms. Each time is longer by a random share of up to noise.
func simulate(workers []int, cores float64, rounds int, noise float64, names []string, speed ...func(n float64) float64) *Result {
	rng := rand.New(rand.NewPCG(7, 7))
	slow := func(x float64) time.Duration { return time.Duration(x * (1 + noise*rng.Float64()) * 1e9) }
	all := make([]Round, rounds)
	for i := range all {
		all[i] = Round{Before: slow(.2), After: slow(.2)}
		for _, f := range speed {
			var times []time.Duration
			for _, w := range workers {
				times = append(times, slow(.2/f(float64(w))))
			}
			all[i].Times = append(all[i].Times, times)
		}
	}
	return Summarize(Options{Workers: workers}, names, "serial", cores, all)
}

func upTo(cores float64) func(float64) float64 {
	return func(n float64) float64 { return min(n, cores) }
}

func TestEstimate(t *testing.T) {
	if e := estimate([]float64{3}); e.Median != 3 || !math.IsNaN(e.Low) || !math.IsNaN(e.High) {
		t.Errorf("of one value: %v", e)
	}
	if e := estimate([]float64{5, 1, 3}); e != (Estimate{3, 1, 5}) {
		t.Errorf("of three values: %v, want their range", e)
	}
	if e := estimate([]float64{1, 2, 3, 4}); e.Median != 2.5 {
		t.Errorf("of an even number: %v", e)
	}
}

// The interval must cover the true median in at least 95 % of experiments. The fixed
// seed makes the test deterministic.
func TestIntervalCoversTheMedian(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const experiments = 2000
	for _, n := range []int{6, 7, 9, 15, 40} {
		covered := 0
		for range experiments {
			values := make([]float64, n)
			for i := range values {
				values[i] = rng.ExpFloat64()
			}
			if e := estimate(values); e.Low <= math.Ln2 && math.Ln2 <= e.High {
				covered++
			}
		}
		if share := float64(covered) / experiments; share < 0.945 {
			t.Errorf("of %d values, the interval covers the median in %.1f %% of experiments", n, 100*share)
		}
	}
}

// The expected ranks are from published tables of the sign test.
func TestOutside(t *testing.T) {
	for n, want := range map[int]int{2: 0, 6: 0, 8: 0, 9: 1, 11: 1, 12: 2, 20: 5, 50: 17, 100: 39} {
		if got := trimCount(n); got != want {
			t.Errorf("of %d values %d are outside, want %d", n, got, want)
		}
	}
}

func TestDisturbedRounds(t *testing.T) {
	ms := time.Millisecond
	r := &Result{Cores: 2, Rounds: []Round{
		{Before: 100 * ms, After: 105 * ms, Foreign: 0.09},
		{Before: 100 * ms, After: 112 * ms, Foreign: 0},
		{Before: 100 * ms, After: 100 * ms, Foreign: 0.11},
		{Before: 100 * ms, After: 100 * ms, Foreign: math.NaN()},
	}}
	if n := r.Disturbed(); n != 2 {
		t.Errorf("%d disturbed rounds, want 2", n)
	}
	want := "2 of 4 rounds disturbed: 1 by other programs, 1 because the baseline changed by more than 10 %."
	if note := r.loadNote(); !strings.HasSuffix(note, want) {
		t.Errorf("note %q, want %q at its end", note, want)
	}
}

func TestTableStartsWithWorkers(t *testing.T) {
	r := simulate([]int{4, 1}, 2, 7, 0, []string{"goroutines", "a<b"}, upTo(2), upTo(1))
	want := `         goroutines                             a<b
workers  time    speedup            efficiency  time    speedup            efficiency
4        100 ms  2.00 [2.00, 2.00]  50 %        200 ms  1.00 [1.00, 1.00]  25 %
1        200 ms  1.00 [1.00, 1.00]  100 %       200 ms  1.00 [1.00, 1.00]  100 %

T1 = 200 ms (serial); 2 cores; medians of 7 rounds in random order, with 95 % intervals.
Other programs kept 0.00 of 2 cores busy.
`
	if got := r.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	first := regexp.MustCompile(`<tr><t[dh][^>]*>([^<]*)`).FindAllStringSubmatch(r.HTML(), -1)
	var column []string
	for _, m := range first {
		column = append(column, m[1])
	}
	if got := strings.Join(column, " "); got != "workers time 4 1" || !strings.Contains(r.HTML(), "a&lt;b") {
		t.Errorf("first cells of rows are %q", got)
	}
}

func TestNotesSayHowMuchIsKnown(t *testing.T) {
	one := simulate([]int{1, 2}, 2, 1, 0, []string{""}, upTo(2))
	if got := one.String(); !strings.Contains(got, "one round, so no intervals") || strings.Contains(got, "[") ||
		!strings.Contains(got, "fitted up to 2 cores: this case f = 0.000.") {
		t.Errorf("one round:\n%s", got)
	}
	three := simulate([]int{1, 2}, 2, 3, .5, []string{""}, upTo(2)).String()
	if !strings.Contains(three, "medians of 3 rounds in random order, with their range") || !strings.Contains(three, "because the baseline changed by more than 10 %") {
		t.Errorf("three noisy rounds:\n%s", three)
	}
}

func TestOtherWorkIsNoticed(t *testing.T) {
	r := simulate([]int{1, 2}, 2, 7, 0, []string{"same", "other"}, upTo(2), func(n float64) float64 { return n / 10 })
	note := "One worker of other takes 10.00 times as long as the baseline: do both do the same work?"
	if got := r.String(); !strings.Contains(got, note) || strings.Contains(got, "of same") {
		t.Errorf("notes:\n%s", got)
	}
}
