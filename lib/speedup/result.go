package speedup

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// An Estimate is a median over rounds with an interval around it: of 95 % from
// six rounds on, the range with fewer. Low and High are NaN with one round.
type Estimate struct{ Median, Low, High float64 }

// A Point is what was measured of one case with one number of workers.
type Point struct {
	Workers    int
	Seconds    Estimate // that the work took
	Speedup    Estimate // the baseline's time divided by that; times the work if it grows
	Efficiency float64  // speedup per worker

	// KarpFlatt is the share of the work that behaves as if it were serial:
	// (1/S − 1/n) / (1 − 1/n). It is NaN for one worker, and beyond the cores,
	// where it would call the lack of cores serial work, and for work that grows.
	KarpFlatt float64
}

// A Series holds the points of one case, in the order of Options.Workers.
type Series struct {
	Name   string  // of the case
	Points []Point // one for each number of workers
}

// A Result of Measure. It prints as a table, in a notebook as an HTML table.
type Result struct {
	Workers    []int     // as in Options
	Series     []Series  // one for each case, in their order
	Serial     Estimate  // of the baseline, in seconds
	SerialName string    // what the baseline was
	Cores      float64   // usable: by affinity and CPU quota, hence not always whole
	Rounds     []Round   // all that was measured
	Work       []float64 // by worker count, as by Options.Work; nil if the work is fixed
}

// Limits above which a round counts as disturbed.
const (
	maxForeign = 0.05 // of all usable cores, kept busy by others
	maxDrift   = 0.10 // between the baselines before and after
)

// Disturbed counts the rounds during which others used more than 5 % of the
// cores, or the baselines before and after differed by more than 10 %.
func (r *Result) Disturbed() int {
	n := 0
	for i := range r.Rounds {
		if r.isDisturbed(&r.Rounds[i]) {
			n++
		}
	}
	return n
}

func (r *Result) isDisturbed(round *Round) bool {
	low, high := min(round.Before, round.After), max(round.Before, round.After)
	return round.Foreign > maxForeign*r.Cores || float64(high-low) > maxDrift*float64(low)
}

// Foreign is the median number of cores that other programs kept busy; NaN
// where that cannot be known.
func (r *Result) Foreign() float64 {
	var all []float64
	for _, round := range r.Rounds {
		all = append(all, round.Foreign)
	}
	return median(all)
}

// Summarize returns the result of rounds that have been measured before. Of opts,
// Workers and Work count. The names are those of the cases; workers, names and
// rounds are as in [Round], and there must be at least one of each.
func Summarize(opts Options, names []string, serialName string, cores float64, rounds []Round) *Result {
	workers := opts.Workers
	r := &Result{Workers: workers, SerialName: serialName, Cores: cores, Rounds: rounds}
	if opts.Work != nil {
		for _, n := range workers {
			r.Work = append(r.Work, opts.Work(n))
		}
	}
	serial := []float64{rounds[0].Before.Seconds()}
	for _, round := range rounds {
		serial = append(serial, round.After.Seconds())
	}
	r.Serial = estimate(serial)
	for c, name := range names {
		s := Series{Name: name}
		for w, n := range workers {
			var seconds, ratios []float64
			for _, round := range rounds {
				t := round.Times[c][w].Seconds()
				seconds = append(seconds, t)
				ratios = append(ratios, r.ratio(&round, c, w))
			}
			p := Point{Workers: n, Seconds: estimate(seconds), Speedup: estimate(ratios)}
			p.Efficiency = p.Speedup.Median / float64(n)
			if p.KarpFlatt = math.NaN(); r.Work == nil {
				p.KarpFlatt = karpFlatt(p.Speedup.Median, n, cores)
			}
			s.Points = append(s.Points, p)
		}
		r.Series = append(r.Series, s)
	}
	return r
}

// ratio returns the speedup of case c with Workers[w] in a round.
func (r *Result) ratio(round *Round, c, w int) float64 {
	s := (round.Before + round.After).Seconds() / 2 / round.Times[c][w].Seconds()
	if r.Work != nil {
		s *= r.Work[w]
	}
	return s
}

func karpFlatt(speedup float64, n int, cores float64) float64 {
	if n < 2 || float64(n) > cores {
		return math.NaN()
	}
	inv := 1 / float64(n)
	return (1/speedup - inv) / (1 - inv)
}

// minInterval is the number of values from which a median can have an interval
// of 95 %: the range of 6 covers it with probability 1 − 2·2⁻⁶ = 97 %.
const minInterval = 6

// estimate gives the median and its interval of at least 95 %; of fewer values
// than that needs, their range.
//
// The interval lies between two order statistics, chosen by the binomial
// distribution: it holds for any distribution of the values. A bootstrap was
// tried and is too narrow for so few values: of 7, it covered 87 %.
func estimate(values []float64) Estimate {
	n := len(values)
	if n < 2 {
		return Estimate{median(values), math.NaN(), math.NaN()}
	}
	sorted := slices.Sorted(slices.Values(values))
	k := trimCount(n)
	return Estimate{median(values), sorted[k], sorted[n-1-k]}
}

// trimCount is how many of n values may be left out on each side so that what
// remains still covers the median with 95 %.
func trimCount(n int) int {
	below := math.Pow(0.5, float64(n)) // P(B = 0) for B of n fair coins
	term := below
	k := 0
	for ; 2*(below+term*float64(n-k)/float64(k+1)) <= 0.05; k++ {
		term *= float64(n-k) / float64(k+1)
		below += term
	}
	return k
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Clone(values)
	slices.SortFunc(s, cmp.Compare)
	mid := len(s) / 2
	if len(s)%2 == 1 {
		return s[mid]
	}
	return (s[mid-1] + s[mid]) / 2
}

func formatSeconds(s float64) string {
	switch {
	case s >= 10:
		return fmt.Sprintf("%.1f s", s)
	case s >= 1:
		return fmt.Sprintf("%.2f s", s)
	case s >= 1e-3:
		return fmt.Sprintf("%.3g ms", s*1e3)
	}
	return fmt.Sprintf("%.3g µs", s*1e6)
}
