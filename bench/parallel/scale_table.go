package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

func printScale(rows []scaling, counts []int, got map[point][]float64) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "measure\tunit")
	for _, n := range counts {
		fmt.Fprint(w, "\t", n)
	}
	fmt.Fprintln(w, "\tgoal")
	for i, r := range rows {
		fmt.Fprintf(w, "%s\t%s", r.name, r.unit)
		for _, n := range counts {
			fmt.Fprint(w, "\t", scaled(got[point{i, n}], got[point{i, 1}], n, slices.Contains(r.counts, n)))
		}
		fmt.Fprintf(w, "\t%s\n", r.want)
	}
	return w.Flush()
}

// unmeasured lists the worker counts for which there are too few cores.
func unmeasured(rows []scaling, cores int) string {
	workers, pairs := make(map[int]bool), make(map[int]bool)
	for _, r := range rows {
		for _, n := range r.counts {
			if need := r.cores(n); need > cores && need == n {
				workers[n] = true
			} else if need > cores {
				pairs[n] = true
			}
		}
	}
	var parts []string
	for _, n := range slices.Sorted(maps.Keys(workers)) {
		parts = append(parts, fmt.Sprint(n, " workers"))
	}
	for _, n := range slices.Sorted(maps.Keys(pairs)) {
		parts = append(parts, fmt.Sprintf("%d×%d", n, n))
	}
	return strings.Join(parts, ", ")
}

// scaled formats the median of values and, in parentheses, its ratio to that of one
// worker. It is empty if the row has no such count, and "–" if it was not measured.
func scaled(values, single []float64, n int, exists bool) string {
	switch {
	case !exists:
		return ""
	case len(values) == 0:
		return "–"
	case n == 1 || len(single) != len(values):
		return number(summarize(values).median)
	}
	ratios := make([]float64, len(values))
	for i := range values {
		ratios[i] = values[i] / single[i]
	}
	return fmt.Sprintf("%s (%.2f×)", number(summarize(values).median), summarize(ratios).median)
}
