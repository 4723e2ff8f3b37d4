package main

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/perijove/perijove/lib/mp"
)

// ratio returns the ratio by which this library is better than the other side.
func (r *result) ratio() interval {
	if r.less {
		return ratioOf(r.theirs, r.ours)
	}
	return ratioOf(r.ours, r.theirs)
}

func (r *result) opponent() string {
	if r.base != nil {
		return "Go"
	}
	return "Python"
}

func table(results []*result) string {
	if len(results) == 0 {
		return ""
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "measure\tours\t95 %\tagainst\t\t95 %\ttimes better\t95 %\tgoal\t")
	for _, r := range results {
		o, t, q := summarize(r.ours), summarize(r.theirs), r.ratio()
		goal, verdict := "", ""
		switch {
		case r.goal > 0:
			goal, verdict = number(r.goal), verdictText(q.median >= r.goal)
		case r.reach > 0:
			goal, verdict = number(r.reach)+" "+r.unit, verdictText(o.median >= r.reach)
		}
		fmt.Fprintf(w, "%s\t%s %s\t%s–%s\t%s\t%s\t%s–%s\t%s\t%s–%s\t%s\t%s\n", r.name,
			number(o.median), r.unit, number(o.low), number(o.high),
			r.opponent(), number(t.median), number(t.low), number(t.high),
			number(q.median), number(q.low), number(q.high), goal, verdict)
	}
	if err := w.Flush(); err != nil {
		return err.Error()
	}
	return b.String()
}

func verdictText(ok bool) string {
	if ok {
		return "met"
	}
	return "missed"
}

func limitTable(facts []*limitResult) string {
	if len(facts) == 0 {
		return ""
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\npromise\tmedian\t95 %\tat most\t")
	for _, k := range facts {
		v := summarize(k.values)
		limit, verdict := "", ""
		if k.limit > 0 {
			limit, verdict = number(k.limit)+" "+k.unit, verdictText(v.median <= k.limit)
		}
		fmt.Fprintf(w, "%s\t%s %s\t%s–%s\t%s\t%s\n", k.name, number(v.median), k.unit, number(v.low), number(v.high), limit, verdict)
	}
	if err := w.Flush(); err != nil {
		return err.Error()
	}
	return b.String()
}

// number formats x with three digits, and with k or M if it is large.
func number(x float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e6, " M"}, {1e3, " k"}} {
		if math.Abs(x) >= u.size {
			return digits(x/u.size) + u.name
		}
	}
	return digits(x)
}

func digits(x float64) string {
	switch {
	case math.Abs(x) >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case math.Abs(x) >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// maxForeignCores is the mean number of cores used by other programs above which a
// round counts as disturbed.
const maxForeignCores = 0.25

func describe(rounds, busy int, python string, foreign float64) string {
	intervals := "95 % intervals"
	if rounds < 6 { // too few for the order statistics of a median
		intervals = "ranges, not intervals"
	}
	s := fmt.Sprintf("Medians of %d rounds with %s; %s %s/%s, %d cores; ", rounds, intervals, runtime.Version(), runtime.GOOS, runtime.GOARCH, mp.Cores())
	if python != "" {
		s += "Python " + python + "; "
	}
	if math.IsNaN(foreign) {
		return s + "load by others unknown."
	}
	s += fmt.Sprintf("other programs used %.2f cores meanwhile", foreign)
	if busy > 0 {
		s += fmt.Sprintf(", more than %.2f in %d rounds: a quiet machine gives other figures", maxForeignCores, busy)
	}
	return s + "."
}
