package main

import (
	"fmt"
	"io"
	"slices"

	"golang.org/x/perf/benchmath"
)

// processorTime returns how many seconds of processor time f used, with its children.
func processorTime(f func() error) (seconds float64, err error) {
	before, err := usedProcessor()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := usedProcessor()
	return after - before, err
}

func median(values []float64) float64 { return summarize(values).Center }

// summarize returns the median of values and its 95 % confidence interval, without an
// assumption about their distribution. With few values the interval is their range.
func summarize(values []float64) benchmath.Summary {
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	s := benchmath.AssumeNothing.Summary(sample, 0.95)
	s.Lo, s.Hi = max(s.Lo, slices.Min(values)), min(s.Hi, slices.Max(values))
	return s
}

// ratios returns over[i] / under[i] for each i.
func ratios(over, under []float64) []float64 {
	list := make([]float64, len(over))
	for i := range list {
		list[i] = over[i] / under[i]
	}
	return list
}

// report prints the median of the ratios of measurements, and its interval.
func report(w io.Writer, what string, over, under []float64) {
	s := summarize(ratios(over, under))
	fmt.Fprintf(w, "%s\t%.3f\t%.3f to %.3f\n", what, s.Center, s.Lo, s.Hi)
}
