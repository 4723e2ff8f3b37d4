package worker

import (
	"slices"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

// orphanInterval is how often goroutines that were left behind are looked
// at. One that runs, outside of cells, costs a signal to each thread.
const orphanInterval = 20 * time.Millisecond

// orphans are executions whose goroutine could not be stopped when it should
// have been, mostly since it is blocked. It is stopped when it reaches cell code.
type orphans struct {
	mu        sync.Mutex // guards what follows
	list      []*execution
	isWatched bool // a goroutine looks after list

	// start starts a goroutine that is none of a cell's.
	start   func(func())
	tryStop func(g uintptr) (parked bool)
}

// request makes g a goroutine to be stopped. If there are too many, the one that
// was left behind first is given up: the running cell matters more.
func (a *orphans) request(g uintptr) bool {
	for !preempt.Request(g) {
		if !a.dropOldest() {
			return false
		}
	}
	return true
}

func (a *orphans) dropOldest() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) == 0 {
		return false
	}
	preempt.Cancel(a.list[0].g.Load())
	a.list = slices.Delete(a.list, 0, 1)
	return true
}

// add sees to it that x, whose goroutine was aimed at, is stopped in the end.
func (a *orphans) add(x *execution) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, x)
	if !a.isWatched {
		a.isWatched = true
		a.start(a.watch)
	}
}

func (a *orphans) watch() {
	for a.sweep() {
		for _, g := range a.goroutines() {
			a.tryStop(g)
		}
		time.Sleep(orphanInterval)
	}
}

func (a *orphans) goroutines() []uintptr {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []uintptr
	for _, x := range a.list {
		list = append(list, x.g.Load())
	}
	return list
}

// sweep forgets the executions that need no stopping any more and reports
// whether others are left; if not, the watch ends.
func (a *orphans) sweep() bool {
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

// reportOrphans answers an interrupt that finds no cell.
func (w *worker) reportOrphans() {
	if err := w.conn.Send(control.Orphans{Count: w.orphans.count()}); err != nil {
		endGroup()
	}
}

// count is how many executions are still to be stopped.
func (a *orphans) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.list)
}
