package speedup

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// An Estimate is a median over rounds, with an interval from Low to High. With six or more
// rounds it is the 95 % interval of the median, and with fewer rounds the range of the
// values. With one round Low and High are NaN.
type Estimate struct{ Median, Low, High float64 }

// A Point is the result of one case with one number of workers.
type Point struct {
	Workers    int
	Seconds    Estimate // time of the work in seconds
	Speedup    Estimate // the baseline's time divided by the time of the work, multiplied by Options.Work if that is set
	Efficiency float64  // median speedup per worker

	// KarpFlatt is the experimentally determined serial fraction of Karp and Flatt:
	// (1/S − 1/n) / (1 − 1/n) for the speedup S with n workers. It is NaN for one
	// worker and for work that grows. It is also NaN for more workers than cores,
	// because it would count the lack of cores as serial work.
	KarpFlatt float64

	Timeline Timeline // timeline of one more run; nil if none was recorded
}

// A Series holds the points of one case, in the order of Options.Workers.
type Series struct {
	Name   string  // name of the case
	Points []Point // one for each number of workers
}

// A Result is the result of Measure. Package fmt prints it as a table, and a notebook shows
// it as an HTML table.
type Result struct {
	Workers    []int     // measured worker counts, from Options
	Series     []Series  // one for each case, in the order of the cases
	Serial     Estimate  // time of the baseline, in seconds
	SerialName string    // name of the baseline
	Cores      float64   // number of usable cores, by affinity mask and CPU quota; may be a fraction
	Rounds     []Round   // all measured times
	Work       []float64 // the values of Options.Work for Workers; nil if Options.Work is nil

	recordErr error // why timelines are missing, or nil
}

// Limits above which a round counts as disturbed.
const (
	maxForeign = 0.05 // share of the usable cores that other programs use
	maxDrift   = 0.10 // relative difference of the baselines before and after
)

// Disturbed returns the number of rounds in which other programs used more than 5 % of
// the cores, or the baselines before and after differed by more than 10 %.
func (r *Result) Disturbed() int {
	n := 0
	for i := range r.Rounds {
		if r.isDisturbed(&r.Rounds[i]) {
			n++
		}
	}
	return n
}

func (r *Result) isDisturbed(round *Round) bool { return r.isLoaded(round) || round.drifted() }

// isLoaded reports whether other programs used more of the cores than is allowed.
func (r *Result) isLoaded(round *Round) bool { return round.Foreign > maxForeign*r.Cores }

// drifted reports whether the baselines before and after the round differ by more than is allowed.
func (round *Round) drifted() bool {
	low, high := min(round.Before, round.After), max(round.Before, round.After)
	return float64(high-low) > maxDrift*float64(low)
}

// Foreign returns the median over the rounds of the number of cores that other programs
// used. It returns NaN if that is not known.
func (r *Result) Foreign() float64 {
	var all []float64
	for _, round := range r.Rounds {
		all = append(all, round.Foreign)
	}
	return median(all)
}

// Summarize returns the result of rounds that were measured before. It uses only
// Workers and Work of opts. names has the names of the cases, and cores is the number
// of usable cores. Each of opts.Workers, names and rounds must have at least one
// element, and the lengths of [Round.Times] must match.
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

// minInterval is the smallest number of values for a 95 % interval of the median: the
// range of 6 values covers the median with probability 1 − 2·2⁻⁶ = 97 %.
const minInterval = 6

// estimate returns the median of values and its interval of at least 95 %. With fewer
// than minInterval values, the interval is their range.
//
// The interval is between two order statistics, chosen by the binomial distribution,
// so it holds for any distribution of the values. A bootstrap is too narrow for so few
// values: with 7, its 95 % interval covered the median in 87 % of the experiments.
func estimate(values []float64) Estimate {
	n := len(values)
	if n < 2 {
		return Estimate{median(values), math.NaN(), math.NaN()}
	}
	sorted := slices.Sorted(slices.Values(values))
	k := trimCount(n)
	return Estimate{median(values), sorted[k], sorted[n-1-k]}
}

// trimCount returns how many of n sorted values can be removed at each end so that the
// range of the others still covers the median with a probability of 95 %.
func trimCount(n int) int {
	below := math.Pow(0.5, float64(n)) // P(B ≤ k), where B is the number of heads of n fair coins
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
