// Package benchmark reads the results of benchmarks, and renders them as tables, with golang.org/x/perf.
package benchmark

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
	"golang.org/x/perf/benchunit"
)

// Units of the results of package testing, as package benchunit writes them.
const (
	Time   = "sec/op"
	bytesU = "B/op"
	allocs = "allocs/op"
)

// A Run has the results of one run of benchmarks.
type Run struct {
	Benchmarks []*Benchmark
}

// A Benchmark has the results of one benchmark function. The function may have been measured several times.
type Benchmark struct {
	Name  string // name of the function without the prefix Benchmark
	Iters []int  // number of iterations of each measurement
	Units []string
	// Values has the measured values by unit: one value for each measurement.
	Values map[string][]float64
}

// Parse reads the output of package testing. rest has the lines of the output that are not results, such as the
// messages of failed benchmarks.
func Parse(text []byte) (r *Run, rest string) {
	r = &Run{}
	var results bytes.Buffer
	var other strings.Builder
	inFailure := false
	for line := range strings.Lines(string(text)) {
		word := strings.TrimRight(line, "\n")
		isLog := inFailure && strings.HasPrefix(line, " ")
		inFailure = strings.Contains(line, "--- ") || isLog
		switch {
		case isLog, strings.Contains(line, "--- "):
			other.WriteString(line)
		case strings.HasPrefix(line, "Benchmark"):
			results.WriteString(line)
		case isLabel(line), word == "PASS", word == "FAIL":
		default:
			other.WriteString(line)
		}
	}
	reader := benchfmt.NewReader(&results, "")
	for reader.Scan() {
		if res, ok := reader.Result().(*benchfmt.Result); ok {
			r.add(res)
		}
	}
	return r, other.String()
}

func isLabel(line string) bool {
	return slices.ContainsFunc([]string{"goos: ", "goarch: ", "pkg: ", "cpu: "}, func(s string) bool { return strings.HasPrefix(line, s) })
}

func (r *Run) add(res *benchfmt.Result) {
	b := r.named(res.Name.String())
	if b == nil {
		b = &Benchmark{Name: res.Name.String(), Values: map[string][]float64{}}
		r.Benchmarks = append(r.Benchmarks, b)
	}
	b.Iters = append(b.Iters, res.Iters)
	for _, v := range res.Values {
		if b.Values[v.Unit] == nil {
			b.Units = append(b.Units, v.Unit)
		}
		b.Values[v.Unit] = append(b.Values[v.Unit], v.Value)
	}
}

// named returns the benchmark with a name, or nil.
func (r *Run) named(name string) *Benchmark {
	i := slices.IndexFunc(r.Benchmarks, func(b *Benchmark) bool { return b.Name == name })
	if i < 0 {
		return nil
	}
	return r.Benchmarks[i]
}

// units lists the units of all benchmarks of runs: those of package testing first.
func units(runs ...*Run) []string {
	list := []string{Time, bytesU, allocs}
	used := map[string]bool{}
	for _, r := range runs {
		for _, b := range r.Benchmarks {
			for _, u := range b.Units {
				used[u] = true
				if !slices.Contains(list, u) {
					list = append(list, u)
				}
			}
		}
	}
	return slices.DeleteFunc(list, func(u string) bool { return !used[u] })
}

// confidence is the level of all intervals.
const confidence = 0.95

func (b *Benchmark) sample(unit string) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(b.Values[unit]), &benchmath.DefaultThresholds)
}

// summary returns the median of a unit and its interval, without an assumption about the distribution.
func (b *Benchmark) summary(unit string) benchmath.Summary {
	return benchmath.AssumeNothing.Summary(b.sample(unit), confidence)
}

// header returns the heading of the column of a unit.
func header(unit string) string {
	if unit == Time {
		return "time/op"
	}
	return unit
}

// format writes a value of a unit with a prefix that suits it.
func format(value float64, unit string) string {
	what, _, _ := strings.Cut(unit, "/")
	if what == "sec" {
		what = "s"
	}
	if what != "s" && what != "B" {
		what = ""
	}
	if value == 0 {
		return strings.TrimSpace("0 " + what)
	}
	if value == math.Trunc(value) && math.Abs(value) < 1000 && what != "s" {
		return strings.TrimSpace(fmt.Sprintf("%.0f %s", value, what))
	}
	text := benchunit.Scale(value, benchunit.ClassOf(unit))
	at := strings.LastIndexAny(text, "0123456789.") + 1
	return strings.TrimSpace(text[:at] + " " + text[at:] + what)
}
