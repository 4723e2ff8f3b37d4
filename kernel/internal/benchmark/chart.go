package benchmark

import (
	"fmt"
	"math"
	"strings"
)

// maxCharted is the maximum number of benchmarks in a chart.
const maxCharted = 30

// chartPackage draws charts. The worker process loads it when it is needed.
const chartPackage = "github.com/perijove/perijove/lib/internal/benchchart"

// ChartSource returns the source of a cell that draws a chart of the times in the run after, and in the run before if
// before is not nil. It returns "" if there are no times.
func ChartSource(before, after *Run) string {
	var b strings.Builder
	count := 0
	put := func(x *Benchmark, run string) {
		values := x.Values[Time]
		if len(values) == 0 {
			return
		}
		s := x.summary(Time)
		low, high := s.Lo, s.Hi
		if len(s.Warnings) > 0 {
			low, high = math.NaN(), math.NaN()
		}
		fmt.Fprintf(&b, "benchchartʹw.Sample{benchchartʹw.Name(%q), %q, []float64{", x.Name, run)
		for _, v := range values {
			b.WriteString(number(v) + ", ")
		}
		fmt.Fprintf(&b, "}, %s, %s, %s},\n", number(s.Center), number(low), number(high))
		count++
	}
	for i, x := range after.Benchmarks {
		if i == maxCharted {
			break
		}
		if before == nil {
			put(x, "")
		} else if old := before.named(x.Name); old != nil {
			put(old, "before")
			put(x, "after")
		}
	}
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("import benchchartʹw %q\nimport displayʹw \"github.com/perijove/perijove/lib/display\"\nimport mathʹw \"math\"\n"+
		"_ = mathʹw.NaN\n_ = displayʹw.Show(benchchartʹw.New(\n%s))", chartPackage, b.String())
}

// number returns a float64 as Go source.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "mathʹw.NaN()"
	case math.IsInf(x, 0):
		return fmt.Sprintf("mathʹw.Inf(%d)", int(math.Copysign(1, x)))
	}
	return fmt.Sprintf("%g", x)
}

// Program returns the source of a cell that runs the benchmark functions in names and writes their results to the
// file report.
func Program(report string, names []string) string {
	var b strings.Builder
	b.WriteString("import testingʹt \"testing\"\nimport testdepsʹt \"testing/internal/testdeps\"\nimport benchmarksʹt \"github.com/perijove/perijove/lib/internal/benchmarks\"\n")
	fmt.Fprintf(&b, "benchmarksʹt.Functions(%q, func(l []testingʹt.InternalBenchmark) *testingʹt.M { return testingʹt.MainStart(testdepsʹt.TestDeps{}, nil, l, nil, nil) }, []testingʹt.InternalBenchmark{", report)
	for _, name := range names {
		fmt.Fprintf(&b, "{%q, %s}, ", name, name)
	}
	b.WriteString("})\n")
	return b.String()
}
