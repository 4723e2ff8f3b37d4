package worker

import (
	"os"

	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/kernel/internal/stopwatch"
)

// Start, Stop and Repeat are what %time and %timeit come down to. Generated
// code calls them by their linker names, in the cell's own goroutine.

// Start begins to take the time.
func Start() { watch().Start() }

// Stop prints what was measured since Start.
func Stop() { os.Stdout.WriteString(watch().Stop()) }

// stopAll ends what measures the cell's last expression: to show it is no part
// of what it took.
func stopAll() { os.Stdout.WriteString(watch().StopAll()) }

// Repeat says how often to repeat a statement next; with 0 it has printed what
// was measured.
func Repeat(loops, runs int) int {
	n, report := watch().Next(loops, runs)
	os.Stdout.WriteString(report)
	return n
}

// watch is that of the running cell, or a new one for a goroutine that an
// interrupt has left behind.
func watch() *stopwatch.Watch {
	x := self.cell.Load()
	x.haltInterrupted()
	if x == nil || x.g.Load() != preempt.CurrentG() {
		return &stopwatch.Watch{}
	}
	return &x.watch
}
