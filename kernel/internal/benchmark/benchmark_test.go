package benchmark

import (
	"math"
	"slices"
	"strings"
	"testing"
)

const output = `goos: linux
goarch: amd64
cpu: some processor
BenchmarkA-2   	1000	 100 ns/op	 16 B/op	 2 allocs/op
BenchmarkA-2   	1000	 110 ns/op	 16 B/op	 2 allocs/op
text of the cell
BenchmarkA-2   	1200	 105 ns/op	 16 B/op	 2 allocs/op
BenchmarkB/x=1-2	10	 2000000 ns/op	 5.5 things/op
BenchmarkBad-2 	--- FAIL: BenchmarkBad-2
    Cell [1]:3: bad
FAIL
`

func TestParse(t *testing.T) {
	r, rest := Parse([]byte(output))
	if want := "text of the cell\nBenchmarkBad-2 \t--- FAIL: BenchmarkBad-2\n    Cell [1]:3: bad\n"; rest != want {
		t.Errorf("the rest: %q, want %q", rest, want)
	}
	if len(r.Benchmarks) != 2 || r.Benchmarks[0].Name != "A-2" || r.Benchmarks[1].Name != "B/x=1-2" {
		t.Fatalf("benchmarks: %s", names(r))
	}
	if got := r.Benchmarks[0].Values[Time]; len(got) != 3 || math.Abs(got[1]-110e-9) > 1e-15 {
		t.Errorf("times %v", got)
	}
	want := `benchmark       time/op  B/op  allocs/op  things/op     iterations
A-2        105.0 ns ± ∞  16 B          2             3 × 1000–1200
B/x=1-2        2.000 ms                       5.500             10
median, and its 95 % interval, of 3 measurements
need >= 6 samples for confidence interval at level 0.95`
	if got := r.Table().String(); got != want {
		t.Errorf("the table:\n%s\nwant\n%s", got, want)
	}
	if page := r.Table().HTML(); !strings.Contains(page, `<td title="in all measurements">16 B</td>`) || !strings.Contains(page, "need &gt;= 6") {
		t.Errorf("the page:\n%s", page)
	}
}

// run returns a run of one benchmark.
func run(name string, nanoseconds ...float64) *Run {
	b := &Benchmark{Name: name, Units: []string{Time, allocs}, Values: map[string][]float64{}}
	for _, x := range nanoseconds {
		b.Iters = append(b.Iters, 100)
		b.Values[Time] = append(b.Values[Time], x*1e-9)
		b.Values[allocs] = append(b.Values[allocs], 3)
	}
	return &Run{Benchmarks: []*Benchmark{b}}
}

func TestCompare(t *testing.T) {
	slow, fast := []float64{100, 101, 102, 103, 104, 105, 106}, []float64{50, 51, 52, 53, 54, 55, 56}
	noisy := []float64{90, 95, 100, 103, 107, 110, 120}
	for _, test := range []struct {
		before, after []float64
		change        string
	}{
		{slow, fast, "-48.54% (p=0.001 n=7)"}, {fast, slow, "+94.34% (p=0.001 n=7)"}, {slow, noisy, "~ (p="}, {slow[:1], slow[:1], "none"},
	} {
		table, err := Compare(run("X", test.before...), run("X", test.after...))
		if err != nil {
			t.Fatal(err)
		}
		if got := table.Rows[0][4].Text; !strings.HasPrefix(got, test.change) {
			t.Errorf("from %v to %v: %s, want %s", test.before, test.after, got, test.change)
		}
		if got := table.Rows[1][4].Text; got != "none" {
			t.Errorf("the same number of allocations: %s", got)
		}
	}
	if _, err := Compare(run("X", slow...), run("Y", fast...)); err == nil || !strings.Contains(err.Error(), "no benchmark in common: the first has X, the second Y") {
		t.Errorf("nothing in common: %v", err)
	}
	both := run("X", slow...)
	both.Benchmarks = append(both.Benchmarks, run("Y", fast...).Benchmarks...)
	table, err := Compare(both, run("X", slow...))
	if err != nil || !slices.Contains(table.Notes, "only before: Y") {
		t.Errorf("a benchmark of one run: %v, %v", table, err)
	}
}

func TestFormat(t *testing.T) {
	for _, test := range []struct {
		value float64
		unit  string
		want  string
	}{
		{0, Time, "0 s"}, {2.5e-10, Time, "0.2500 ns"}, {1.5, Time, "1.500 s"}, {100, "B/op", "100 B"}, {2048, "B/op", "2.000 KiB"},
		{12, "allocs/op", "12"}, {1234567, "allocs/op", "1.235 M"}, {0.25, "things/op", "250.0 m"},
	} {
		if got := format(test.value, test.unit); got != test.want {
			t.Errorf("%v %s is written as %q, want %q", test.value, test.unit, got, test.want)
		}
	}
}

func TestChartSource(t *testing.T) {
	few := ChartSource(nil, run("a\"b", 1, 2))
	if !strings.Contains(few, `Name("a\"b"), "", []float64{1e-09, 2e-09, }`) || !strings.Contains(few, "mathʹw.NaN(), mathʹw.NaN()}") {
		t.Errorf("the source: %s", few)
	}
	two := ChartSource(run("X", 1, 2, 3, 4, 5, 6), run("X", 7))
	if strings.Count(two, "Sample{") != 2 || !strings.Contains(two, `"before"`) || !strings.Contains(two, `"after"`) {
		t.Errorf("the source: %s", two)
	}
	if got := ChartSource(nil, &Run{}); got != "" {
		t.Errorf("no results: %s", got)
	}
}

func TestParseOptions(t *testing.T) {
	o, err := ParseOptions([]string{"-compare", "--count", "3", "-test.benchtime=5x", "-bench=A|B", "-cpu", "1,2"})
	want := append(slices.Clone(defaults), "-test.count=3", "-test.benchtime=5x", "-test.bench=A|B", "-test.cpu=1,2")
	if err != nil || !o.Compares || !o.Selects || !slices.Equal(o.Args, want) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, words := range [][]string{{"x := 1"}, {"-turbo"}, {"-count"}, {"-count=0"}, {"-benchtime", "5"}, {"-cpu", "1,,2"}, {"-bench", "("}, {"-compare=3"}} {
		if o, err := ParseOptions(words); err == nil {
			t.Errorf("%q is accepted: %+v", words, o)
		}
	}
}
