package main

import (
	"math/rand/v2"
	"slices"

	"golang.org/x/perf/benchmath"
)

// An interval is a median with its 95 % confidence interval from low to high.
type interval struct{ median, low, high float64 }

// summarize returns the median of values and its interval, without an assumption about
// the distribution. With few values the interval is their range.
func summarize(values []float64) interval {
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	s := benchmath.AssumeNothing.Summary(sample, 0.95)
	sorted := slices.Sorted(slices.Values(values))
	low, high := max(s.Lo, sorted[0]), min(s.Hi, sorted[len(sorted)-1])
	return interval{s.Center, low, high}
}

// resamples is the number of bootstrap samples of ratioOf.
const resamples = 4000

// ratioOf returns the ratio of two medians, with a bootstrap interval.
func ratioOf(over, under []float64) interval {
	r := rand.New(rand.NewPCG(1, 2)) // a fixed seed: the same values give the same table
	ratios := make([]float64, resamples)
	for i := range ratios {
		ratios[i] = median(resample(r, over)) / median(resample(r, under))
	}
	slices.Sort(ratios)
	return interval{median(over) / median(under), ratios[resamples*25/1000], ratios[resamples*975/1000]}
}

func resample(r *rand.Rand, values []float64) []float64 {
	out := make([]float64, len(values))
	for i := range out {
		out[i] = values[r.IntN(len(values))]
	}
	return out
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}
