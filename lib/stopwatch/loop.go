package stopwatch

import (
	"fmt"
	"math"
	"runtime"
	"time"
)

const (
	defaultRuns = 7
	// longEnough is the minimum time of a run. In shorter runs the clock's resolution and the
	// calls between runs would affect the result.
	longEnough = 100 * time.Millisecond
	// tooLong is the shortest time of a slow run. If the run that determines n is slow, it
	// counts as a result, and only fewRuns runs are made unless the user has given their number.
	tooLong  = time.Second
	fewRuns  = 3
	maxLoops = 1_000_000_000
)

// A loop is a statement that is repeated.
type loop struct {
	n, runs  int
	finding  bool // still determining n
	asked    bool // the user has given the number of runs
	begin    reading
	perLoop  []float64 // seconds per loop in each run
	measured int       // number of loops since begin
}

// Next ends a run of a repeated statement and returns the number of loops of the next
// run. If n is 0, there is no further run, and report has the measurement. The first
// call only begins the first run. loops is the number of loops of each run, and runs is the
// number of runs. If one of them is 0, Next chooses it.
func (w *Watch) Next(loops, runs int) (n int, report string) {
	now := time.Now()
	l := w.loop
	if l == nil {
		l = &loop{n: max(loops, 1), finding: loops == 0, runs: runs, asked: runs > 0}
		if !l.asked {
			l.runs = defaultRuns
		}
		w.loop = l
		runtime.GC() // do not measure the collection of earlier cells' garbage
		return l.start(), ""
	}
	if n := l.next(now.Sub(l.begin.at)); n > 0 {
		return n, ""
	}
	w.loop = nil
	var end reading
	end.memory()
	return 0, l.report(end)
}

// start begins the first run of a series, with empty results.
func (l *loop) start() int {
	l.perLoop, l.measured = nil, 0
	l.begin.memory()
	return l.again()
}

func (l *loop) again() int {
	l.begin.at = time.Now()
	return l.n
}

// next records the time of a run and returns the number of loops of the next run, or 0.
func (l *loop) next(d time.Duration) int {
	if l.finding {
		if d < longEnough && l.n < maxLoops {
			l.n = enough(l.n, d)
			return l.start()
		}
		l.finding = false
		if d < tooLong {
			return l.start() // the first run may have been slower, with cold caches
		}
		if !l.asked {
			l.runs = fewRuns
		}
	}
	l.perLoop = append(l.perLoop, d.Seconds()/float64(l.n))
	l.measured += l.n
	if len(l.perLoop) < l.runs {
		return l.again()
	}
	return 0
}

// enough estimates how many loops take at least longEnough, given that n loops took d. It
// returns a number of the series 1, 2, 5, 10, 20, ...
func enough(n int, d time.Duration) int {
	want := min(float64(n)*float64(longEnough)/float64(max(d, 1)), 100*float64(n), maxLoops)
	for power := 1; ; power *= 10 {
		for _, digit := range []int{1, 2, 5} {
			if c := digit * power; c > n && float64(c) >= want {
				return c
			}
		}
	}
}

func (l *loop) report(end reading) string {
	mean, deviation := spread(l.perLoop)
	of := counted(uint64(l.n), "loop") + " each"
	text := ""
	if len(l.perLoop) == 1 {
		text = fmt.Sprintf("%s per loop (1 run, %s)\n", seconds(mean), of)
	} else {
		text = fmt.Sprintf("%s ± %s per loop (mean ± std. dev. of %d runs, %s)\n", seconds(mean), seconds(deviation), len(l.perLoop), of)
	}
	// A whole number, as in package testing, so that occasional allocations of the worker
	// process do not show.
	allocs := (end.allocs - l.begin.allocs) / uint64(l.measured)
	if allocs == 0 {
		return text + "no allocations\n"
	}
	return text + fmt.Sprintf("%s in %s per loop\n", size((end.bytes-l.begin.bytes)/uint64(l.measured)), counted(allocs, "allocation"))
}

// spread returns the mean of a sample and its standard deviation.
func spread(list []float64) (mean, deviation float64) {
	for _, x := range list {
		mean += x / float64(len(list))
	}
	if len(list) < 2 {
		return mean, 0
	}
	for _, x := range list {
		deviation += (x - mean) * (x - mean) / float64(len(list)-1)
	}
	return mean, math.Sqrt(deviation)
}
