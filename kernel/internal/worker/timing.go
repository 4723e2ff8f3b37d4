package worker

import (
	"os"

	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/kernel/internal/stopwatch"
)

// Start, Stop and Repeat implement %time and %timeit. Generated
// code calls them by their linker names, in the goroutine of the cell.

// Start begins a time measurement.
func Start() { watch().Start() }

// Stop ends the measurement and prints the time since Start.
func Stop() { os.Stdout.WriteString(watch().Stop()) }

// stopAll ends all measurements before the value of the cell's last expression is shown: that does not count
// as time of the cell.
func stopAll() { os.Stdout.WriteString(watch().StopAll()) }

// Repeat returns how often to run a statement next. loops and runs are the options -n and -r of %timeit, or 0. At the end
// of the measurement it prints the result and returns 0.
func Repeat(loops, runs int) int {
	n, report := watch().Next(loops, runs)
	os.Stdout.WriteString(report)
	return n
}

// watch returns the stopwatch of the running cell. For a goroutine that an
// interrupt has left behind it returns a new one.
func watch() *stopwatch.Watch {
	x := self.cell.Load()
	x.haltInterrupted()
	if x == nil || x.g.Load() != preempt.CurrentG() {
		return &stopwatch.Watch{}
	}
	return &x.watch
}
