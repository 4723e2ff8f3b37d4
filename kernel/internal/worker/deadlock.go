package worker

import (
	"runtime"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/lib/comm"
)

// A cell ends as deadlocked if its goroutine is blocked and nothing in the process can wake
// it any more. The check of the Go runtime does not help: it tests whether any thread runs, and the goroutines of the
// worker process itself always wait for a message. So the worker process checks all goroutines. A cell is deadlocked if
// every goroutine except those of the worker process itself and of the runtime is blocked until another does something,
// no timer is set, no request to the kernel is open, the process has no C code, and a garbage collection finds no
// finalizer to run. In case of doubt, the cell is not deadlocked: for example if a goroutine is in a system call or
// waits for a connection. The goroutine of os/signal is an exception, unless another goroutine receives from a channel
// for signals.

const (
	quietDelay     = 300 * time.Millisecond // delay before the first check of a cell
	settleInterval = 50 * time.Millisecond  // time between two checks that must agree
	maxQuietDelay  = 2 * time.Second        // longest time between checks that find activity
)

// A deadlockWatch checks one execution.
type deadlockWatch struct {
	w *worker
	x *execution
}

func (w *worker) watchDeadlock(x *execution) *deadlockWatch { return &deadlockWatch{w: w, x: x} }

// run checks the cell until done is closed. It closes lost if the cell is deadlocked.
func (d *deadlockWatch) run(done <-chan struct{}, lost chan<- struct{}) {
	for quiet := quietDelay; sleep(quiet, done); {
		switch {
		case !d.mayBeDeadlocked():
			quiet = min(2*quiet, maxQuietDelay)
		case d.collected(done) && d.settled(done):
			close(lost)
			return
		}
	}
}

// sleep waits for the duration d. It returns false if done is closed first.
func sleep(d time.Duration, done <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-done:
		return false
	}
}

// collected runs a garbage collection. It reports whether the collection has queued no finalizer or cleanup, since
// these might wake a goroutine.
func (d *deadlockWatch) collected(done <-chan struct{}) bool {
	before := finalizersRun()
	over := make(chan struct{})
	go func() {
		runtime.GC()
		close(over)
	}()
	select {
	case <-over:
		return finalizersRun() == before
	case <-done:
		return false
	}
}

// settled reports whether two successive checks find that no goroutine can continue. It tries for about
// two seconds, since the garbage collector may still be sweeping.
func (d *deadlockWatch) settled(done <-chan struct{}) bool {
	agreed := 0
	for range 40 {
		if !sleep(settleInterval, done) {
			return false
		}
		if !d.mayBeDeadlocked() {
			agreed = 0
			continue
		}
		yes := false
		d.w.goroutines.Stopped(func() { yes = d.allBlocked() && d.w.goroutines.Timers() == 0 })
		if !yes {
			agreed = 0
		} else if agreed++; agreed == 2 {
			return true
		}
	}
	return false
}

// mayBeDeadlocked is the cheap check, without stopping the world.
func (d *deadlockWatch) mayBeDeadlocked() bool {
	gs, g := d.w.goroutines, d.x.g.Load()
	if gs == nil || g == 0 || gs.State(g) != goruntime.Blocked || gs.HasForeignCode() || d.x.cellCtx.asked.Load() || d.w.awaitsKernel() || d.w.signals.AreAwaited(gs) {
		return false
	}
	return d.allBlocked()
}

// allBlocked reports whether every goroutine is blocked or idle, except those of the worker process itself.
func (d *deadlockWatch) allBlocked() bool {
	for g := range d.w.goroutines.All {
		if g.State != goruntime.Blocked && g.State != goruntime.Idle && !d.w.isWorkerGoroutine(g) && !d.w.signals.IsReceiver(d.w.goroutines, g) {
			return false
		}
	}
	return true
}

// isWorkerGoroutine reports whether a goroutine is one of the worker process itself: it began in a package of the
// kernel or is the main goroutine, and is not that of a cell.
func (w *worker) isWorkerGoroutine(g goruntime.Goroutine) bool {
	if g.Start == w.cellStart.Load() {
		return false
	}
	name := startName(g)
	return name == "runtime.main" || strings.HasPrefix(name, kernelPackages) || w.traced.Load() && records(name)
}

// kernelPackages is the prefix of the import paths of package worker and the packages that it uses.
const kernelPackages = "github.com/perijove/perijove/kernel/internal/"

// awaitsKernel reports whether a message of the kernel may wake a goroutine: a line of input or
// an event of a widget.
func (w *worker) awaitsKernel() bool {
	return w.pending.Len() > 0 || comm.HasHandlers()
}

// finalizersRun returns the number of finalizers and cleanups that have been queued so far.
func finalizersRun() uint64 {
	s := []metrics.Sample{{Name: "/gc/finalizers/queued:finalizers"}, {Name: "/gc/cleanups/queued:cleanups"}}
	metrics.Read(s)
	n := uint64(0)
	for _, v := range s {
		if v.Value.Kind() == metrics.KindUint64 {
			n += v.Value.Uint64()
		}
	}
	return n
}

// deadlocked ends a deadlocked cell. Its goroutine stays, and is stopped if it ever continues.
func (w *worker) deadlocked(x *execution) {
	own := x.g.Load()
	list := []uintptr{own}
	n := 0
	for g := range w.goroutines.All {
		if g.G != own && g.State == goruntime.Blocked && !w.isWorkerGoroutine(g) {
			if n++; n <= maxListed {
				list = append(list, g.G)
			}
		}
	}
	x.interrupted.Store(true)
	x.finish(control.Outcome{How: control.Deadlocked, Goroutines: w.describe(list), Count: n})
	w.endWithoutGoroutine(x)
}
