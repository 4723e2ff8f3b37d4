package worker

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/lib/comm"
)

// A cell whose goroutine is blocked, in a process in which nothing can wake it
// any more, ends as deadlocked. Go's own check asks whether any thread runs;
// here the kernel's goroutines always wait for a message, so the question is
// put to the goroutines: every one that is not the kernel's or the runtime's is
// blocked until another does something, no timer is set, nothing is asked of the
// kernel, no foreign code is in the process, and a collection finds no finalizer
// to run. What is left out errs on the side of waiting: a goroutine in a system
// call, or one that waits for a connection, ends the search. The one of os/signal
// does not, unless somebody waits for a signal at the other end.

const (
	quietDelay     = 300 * time.Millisecond // before a blocked cell is looked at
	settleInterval = 50 * time.Millisecond  // between two looks that must agree
	maxQuietDelay  = 2 * time.Second        // between looks that found something at work
)

// A deadlockWatch looks at one execution.
type deadlockWatch struct {
	w *worker
	x *execution
}

func (w *worker) watchDeadlock(x *execution) *deadlockWatch { return &deadlockWatch{w: w, x: x} }

// run looks until done, and closes lost if the cell can never go on.
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

// sleep reports whether the time passed before done.
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

// collected runs a garbage collection and reports whether it has found no
// finalizer that may wake one of them.
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

// settled waits, a while, until two looks in succession have found nothing that
// could go on. The collector may still be sweeping.
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

// mayBeDeadlocked is the cheap question, asked while everything runs.
func (d *deadlockWatch) mayBeDeadlocked() bool {
	gs, g := d.w.goroutines, d.x.g.Load()
	if gs == nil || g == 0 || gs.State(g) != goruntime.Blocked || gs.HasForeignCode() || d.x.cellCtx.asked.Load() || d.w.awaitsKernel() || d.w.signals.areAwaited(gs) {
		return false
	}
	return d.allBlocked()
}

// allBlocked reports whether every goroutine of cells, and every one that runs
// finalizers, is blocked.
func (d *deadlockWatch) allBlocked() bool {
	for g := range d.w.goroutines.All {
		if g.State != goruntime.Blocked && g.State != goruntime.Idle && !d.w.isWorkerGoroutine(g) && !d.w.signals.isReceiver(d.w.goroutines, g) {
			return false
		}
	}
	return true
}

// isWorkerGoroutine reports whether a goroutine is the kernel's business: it began in this
// package, and is not a cell's own.
func (w *worker) isWorkerGoroutine(g goruntime.Goroutine) bool {
	if g.Start == w.cellStart.Load() {
		return false
	}
	name := startName(g)
	return name == "runtime.main" || strings.HasPrefix(name, packagePath)
}

const packagePath = "github.com/perijove/perijove/kernel/internal/worker."

// awaitsKernel reports whether something may come from the kernel: a line of input, or
// what the user does with a widget.
func (w *worker) awaitsKernel() bool {
	return w.pending.Len() > 0 || comm.HasHandlers()
}

// finalizersRun counts the finalizers and cleanups that have been queued.
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

// deadlocked ends a cell that can never go on, and leaves its goroutine behind.
func (w *worker) deadlocked(x *execution) {
	own := x.g.Load()
	list := []uintptr{own}
	n := 0
	for g := range w.goroutines.All {
		if g.G != own && g.State == goruntime.Blocked && !w.isWorkerGoroutine(g) {
			if n++; n <= maxGoroutines {
				list = append(list, g.G)
			}
		}
	}
	x.interrupted.Store(true)
	x.finish(control.Outcome{How: control.Deadlocked, Goroutines: w.describe(list), Count: n})
	w.orphan(x)
}

// Once signal.Notify has been called a goroutine of os/signal waits for
// signals for ever. It can wake those alone who wait at a channel that gets them.
type signals struct {
	loop     uintptr         // the function of that goroutine
	handlers *signalHandlers // nil if it is not known
}

// signalHandlers mirrors the beginning of os/signal.handlers.
type signalHandlers struct {
	sync.Mutex
	m map[chan<- os.Signal]*struct{}
}

func (s *signals) find(rt *goruntime.Runtime) {
	loop, err := goruntime.Address(rt, "os/signal.loop")
	if err == nil {
		s.handlers, err = goruntime.Var[signalHandlers](rt, "os/signal.handlers")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: cells that use signals are not found to be deadlocked:", err)
		return
	}
	s.loop = loop
}

// isReceiver reports whether g is the goroutine that waits for signals, and does
// so. Each signal is its call of the system's ending.
func (s *signals) isReceiver(gs *goruntime.Goroutines, g goruntime.Goroutine) bool {
	return s.loop != 0 && g.Start == s.loop && gs.InSyscall(g.G)
}

// areAwaited reports whether a signal may wake a goroutine.
func (s *signals) areAwaited(gs *goruntime.Goroutines) bool {
	if s.handlers == nil {
		return false // then the receiver counts as one that may
	}
	if !s.handlers.TryLock() {
		return true // it is in use
	}
	defer s.handlers.Unlock()
	for ch := range s.handlers.m {
		if gs.HasReceiver(*(*uintptr)(unsafe.Pointer(&ch))) {
			return true
		}
	}
	return false
}
