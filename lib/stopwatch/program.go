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

// Repeat measures code that runs often. It yields numbers, and the code must run as often as the last one says before the next is taken.
// loops is that number, and runs is how many there are; 0 chooses them so that a run takes a tenth of a second or more. At the end Repeat prints the time
// of one loop and its allocations to standard output.
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
