package worker

import (
	"slices"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/preempt"
)

// pendingStopInterval is the time between two attempts to stop goroutines whose cell has ended without them. An attempt to
// stop a running goroutine sends a signal to each thread.
const pendingStopInterval = 20 * time.Millisecond

// pendingStops are executions whose goroutine could not be stopped by an interrupt,
// usually since it is blocked. The goroutine is stopped when it reaches cell code.
type pendingStops struct {
	mu        sync.Mutex // guards list and isWatched
	list      []*execution
	isWatched bool // watch is running

	// start runs a function in a goroutine that belongs to no cell.
	start   func(func())
	tryStop func(g uintptr) (parked bool)
}

// request makes g a target of package preempt. If there are too many targets, it drops the oldest
// execution, since the running cell is more important. It returns false if there is
// no execution left to drop.
func (a *pendingStops) request(g uintptr) bool {
	for !preempt.Request(g) {
		if !a.dropOldest() {
			return false
		}
	}
	return true
}

func (a *pendingStops) dropOldest() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) == 0 {
		return false
	}
	preempt.Cancel(a.list[0].g.Load())
	a.list = slices.Delete(a.list, 0, 1)
	return true
}

// add adds x, whose goroutine is a target, so that it is stopped as soon as possible.
func (a *pendingStops) add(x *execution) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, x)
	if !a.isWatched {
		a.isWatched = true
		a.start(a.watch)
	}
}

func (a *pendingStops) watch() {
	for a.sweep() {
		for _, g := range a.goroutines() {
			a.tryStop(g)
		}
		time.Sleep(pendingStopInterval)
	}
}

func (a *pendingStops) goroutines() []uintptr {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []uintptr
	for _, x := range a.list {
		list = append(list, x.g.Load())
	}
	return list
}

// sweep removes the executions that have ended or are being stopped, and reports whether others remain. If none remain,
// watch ends.
func (a *pendingStops) sweep() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = slices.DeleteFunc(a.list, func(x *execution) bool {
		g := x.g.Load()
		if x.ended.Load() {
			preempt.Cancel(g)
			return true
		}
		return !preempt.Pending(g)
	})
	a.isWatched = len(a.list) > 0
	return a.isWatched
}

// count returns the number of executions that are still to be stopped.
func (a *pendingStops) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.list)
}
