package stopwatch

import (
	"iter"
	"os"
)

// Start returns a Watch that has begun to measure.
func Start() *Watch {
	w := new(Watch)
	w.Start()
	return w
}

// Print ends the innermost measurement and prints its report to standard output.
func (w *Watch) Print() { os.Stdout.WriteString(w.Stop()) }

// Repeat measures code in several runs. For each run it yields a number of loops: the
// body of the range statement must execute the code that many times. loops sets that
// number, and runs sets the number of runs. If loops is 0, Repeat chooses a number with
// which a run takes at least a tenth of a second. If runs is 0, there are 7 runs. If both are
// 0 and a run takes at least a second, there are 3 runs. At the end Repeat prints the time of
// one loop and its allocations to standard output.
func Repeat(loops, runs int) iter.Seq[int] {
	return func(yield func(int) bool) {
		var w Watch
		for {
			n, report := w.Next(loops, runs)
			if n == 0 {
				os.Stdout.WriteString(report)
				return
			}
			if !yield(n) {
				return
			}
		}
	}
}
