package stopwatch

import (
	"math"
	"regexp"
	"testing"
	"time"
)

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0 ns", 1e-12: "0 ns", 3.14e-10: "0.314 ns", 1.234e-8: "12.3 ns", 9.996e-7: "1 µs", 1.5e-6: "1.5 µs",
		0.0123456: "12.3 ms", 0.99951: "1 s", 59.4: "59.4 s", 61.4: "1min 1s", 3723: "1h 2min 3s",
	} {
		if got := seconds(s); got != want {
			t.Errorf("seconds(%v) = %q, want %q", s, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 999: "999 B", 1234: "1.23 kB", 999_600: "1 MB", 48_123_456: "48.1 MB", 5e15: "5000 TB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestEnough(t *testing.T) {
	for _, test := range []struct {
		n    int
		d    time.Duration
		want int
	}{
		{1, 0, 100}, {1, 60 * time.Millisecond, 2}, {1, 30 * time.Millisecond, 5}, {1, 11 * time.Millisecond, 10},
		{100, time.Microsecond, 10_000}, {5, 99 * time.Millisecond, 10}, {900_000_000, time.Millisecond, maxLoops},
	} {
		if got := enough(test.n, test.d); got != test.want {
			t.Errorf("%d loops took %v: then %d, want %d", test.n, test.d, got, test.want)
		}
	}
}

// runs runs a loop with a statement of a known duration and returns the number of runs.
func runs(l *loop, each time.Duration) (n int) {
	for next := l.start(); next > 0; next = l.next(each * time.Duration(next)) {
		n++
	}
	return n
}

func TestRuns(t *testing.T) {
	for _, test := range []struct {
		name     string
		l        *loop
		each     time.Duration
		n, count int // loops of a run, and runs that count
	}{
		{"fast", &loop{n: 1, finding: true, runs: defaultRuns}, time.Nanosecond, 100_000_000, defaultRuns},
		{"medium", &loop{n: 1, finding: true, runs: defaultRuns}, 3 * time.Millisecond, 50, defaultRuns},
		{"slow", &loop{n: 1, finding: true, runs: defaultRuns}, 300 * time.Millisecond, 1, defaultRuns},
		{"too slow", &loop{n: 1, finding: true, runs: defaultRuns}, 5 * time.Second, 1, fewRuns},
		{"asked for", &loop{n: 3, runs: 2, asked: true}, time.Hour, 3, 2},
		{"runs asked for", &loop{n: 1, finding: true, runs: 5, asked: true}, 5 * time.Second, 1, 5},
	} {
		runs(test.l, test.each)
		if test.l.n != test.n || len(test.l.perLoop) != test.count || test.l.measured != test.n*test.count {
			t.Errorf("%s: %d runs of %d loops, want %d of %d", test.name, len(test.l.perLoop), test.l.n, test.count, test.n)
		}
		if mean, _ := spread(test.l.perLoop); math.Abs(mean-test.each.Seconds()) > 1e-12 {
			t.Errorf("%s: the mean is %v", test.name, mean)
		}
	}
	if n := runs(&loop{n: 1, finding: true, runs: defaultRuns}, 5*time.Second); n != fewRuns {
		t.Errorf("a statement of 5 s ran %d times for %d runs", n, fewRuns)
	}
}

func TestSpread(t *testing.T) {
	if mean, dev := spread([]float64{1, 2, 3, 6}); mean != 3 || math.Abs(dev-math.Sqrt(14.0/3)) > 1e-12 {
		t.Errorf("%v ± %v", mean, dev)
	}
	if _, dev := spread([]float64{5}); dev != 0 {
		t.Errorf("one value has no deviation: %v", dev)
	}
}

var kept []byte

func TestNext(t *testing.T) {
	var w Watch
	loops, report := 0, ""
	for n, text := w.Next(1000, 3); ; n, text = w.Next(1000, 3) {
		if n == 0 {
			report = text
			break
		}
		for range n {
			kept = make([]byte, 1000)
			loops++
		}
	}
	if loops != 3000 || w.loop != nil {
		t.Errorf("%d loops", loops)
	}
	want := regexp.MustCompile(`^\d\S* [nµm]?s ± \S+ [nµm]?s per loop \(mean ± std\. dev\. of 3 runs, 1,000 loops each\)\n1\.0\d kB in 1 allocation per loop\n$`)
	if !want.MatchString(report) {
		t.Errorf("the report: %s", report)
	}
}

func TestNested(t *testing.T) {
	var w Watch
	if text := w.Stop(); text != "" {
		t.Errorf("nothing runs: %s", text)
	}
	w.Start()
	w.Start()
	one := regexp.MustCompile(`^CPU times: user \S+ [nµm]?s, sys: \S+ [nµm]?s, total: \S+ [nµm]?s\nWall time: \S+ [nµm]?s\n(Allocated: .*\n)?$`)
	if text := w.Stop(); !one.MatchString(text) {
		t.Errorf("the report: %s", text)
	}
	w.Start()
	if n := len(regexp.MustCompile(`Wall time`).FindAllString(w.StopAll(), -1)); n != 2 || len(w.running) != 0 {
		t.Errorf("%d reports of two measurements", n)
	}
}

func TestRepeatYieldsUntilTheReport(t *testing.T) {
	var list []int
	for n := range Repeat(3, 2) {
		list = append(list, n)
	}
	if len(list) != 2 || list[0] != 3 || list[1] != 3 {
		t.Errorf("Repeat(3, 2) yields %v, want 3 twice", list)
	}
	for n := range Repeat(5, 2) {
		if n != 5 {
			t.Errorf("got %d, want 5", n)
		}
		break
	}
}
