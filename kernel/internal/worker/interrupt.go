package worker

import (
	"errors"
	"time"

	"github.com/perijove/perijove/kernel/internal/activeclock"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/divert"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

const (
	// contextTimeout is how long a cell may take to end by itself after its
	// context was cancelled, if it has asked for it.
	contextTimeout = 100 * time.Millisecond
	// blockedTimeout is how long a goroutine may be blocked, or in a system
	// call, before it is left behind.
	blockedTimeout = 30 * time.Millisecond
	// childrenTimeout is the same where the cell has started processes, which
	// have been ended: it may be waiting for them.
	childrenTimeout = 300 * time.Millisecond
	// libraryTimeout is the same where it may wait for package mp, which ends
	// its processes by its own means.
	libraryTimeout = stopTimeout
	// stopTimeout is the same for one that runs, but not code of a cell.
	stopTimeout = 500 * time.Millisecond
	// signalOnlyPeriod is how long signals alone are tried.
	signalOnlyPeriod = 10 * time.Millisecond

	minStopInterval = 250 * time.Microsecond // at first; later maxStopInterval
	maxStopInterval = 2 * time.Millisecond
)

// interrupt stops the running cell.
func (w *worker) interrupt() {
	x := w.cell.Load()
	if x == nil {
		return
	}
	x.interrupted.Store(true)
	x.cancelUser()
	if x.g.Load() == 0 || x.ended.Load() {
		x.cancel(errInterrupted)
		return // it has not begun, and will not, or has ended
	}
	if x.stopping.CompareAndSwap(false, true) {
		go w.stop(x)
	}
}

// stop ends x. If its goroutine cannot be stopped, since it is blocked or
// inside one long call of the standard library, the cell ends all the same, and
// the goroutine is stopped once it comes back to cell code.
func (w *worker) stop(x *execution) {
	if !x.hasPanicOutcome() && x.cellCtx.asked.Load() && x.endsWithin(contextTimeout) {
		return
	}
	g := x.g.Load()
	aimed := preemptErr == nil && w.orphans.request(g)
	if aimed {
		w.divertBlocked(g)
	}
	x.cancel(errInterrupted) // now it stops where it would go on
	patience := blockedTimeout
	if w.processes.end(x.labels) > 0 {
		patience = childrenTimeout
	}
	if x.usesLibrary.Load() {
		patience = libraryTimeout
	}
	if aimed {
		if w.stopRunning(x, patience) {
			return
		}
		w.orphans.add(x)
	}
	if x.finished.Load() {
		return
	}
	list, n := w.startedGoroutines(x)
	x.finish(control.Outcome{How: control.Interrupted, Stuck: w.stackOf(x), Goroutines: list, Count: n})
}

// divertBlocked sees to it that a goroutine that is parked does not go on in its cell
// when what it waits for is ended.
func (w *worker) divertBlocked(g uintptr) {
	w.tryStop(g)
	clock := activeclock.New()
	for spent := time.Duration(0); spent < stopWorldTimeout; spent += clock.Tick(minStopInterval) {
		if t := preempt.TargetOf(g); t == nil || !t.Diverting.Load() {
			return
		}
	}
}

// stopRunning tries to stop the goroutine of x and reports whether it has ended.
func (w *worker) stopRunning(x *execution, parked time.Duration) bool {
	g := x.g.Load()
	clock := activeclock.New()
	var spent, still time.Duration // in all; since it has been seen parked
	for interval := minStopInterval; ; interval = min(interval+interval/8, maxStopInterval) {
		if x.ended.Load() {
			preempt.Cancel(g)
			return true
		}
		if !w.tryStop(g) {
			still = 0
			// A goroutine that no signal finds is mostly in the scheduler or
			// the collector. One that is found is not waited for: the world
			// stops only when that comes out of a long run of assembly code.
			if t := preempt.TargetOf(g); t != nil && spent > signalOnlyPeriod && t.Outside() < 3 {
				w.divertParked(t, g)
			}
		}
		if still > parked || spent > stopTimeout {
			return false
		}
		d := clock.Tick(interval)
		spent, still = spent+d, still+d
	}
}

// tryStop makes one attempt to stop a goroutine that is aimed at, and reports
// whether it is parked.
func (w *worker) tryStop(g uintptr) (parked bool) {
	t := preempt.TargetOf(g)
	if t == nil {
		return false // it is being unwound
	}
	if w.goroutines != nil {
		switch state := w.goroutines.State(g); {
		case state == goruntime.Blocked, state == goruntime.Waiting, w.goroutines.InSyscall(g):
			w.divertParked(t, g)
			return !w.goroutines.WaitsForSemaphore(g)
		}
	}
	if pc := t.Return(); pc != 0 {
		var to uintptr
		err := w.addCode(func() (err error) {
			to, err = w.diverter.Diversion(pc, preempt.Halt)
			return err
		})
		if err == nil {
			t.Detour(pc, to)
		}
	}
	preempt.SignalThreads()
	return false
}

// divertParked changes the way back of a goroutine while the world is stopped. Once is
// enough: it comes back to the same place however often it is parked until then.
func (w *worker) divertParked(t *preempt.Target, g uintptr) {
	if w.goroutines == nil || t.Diverted.Load() || !t.Diverting.CompareAndSwap(false, true) {
		return
	}
	w.spawn(func() {
		defer t.Diverting.Store(false)
		err := w.addCode(func() error { return w.diverter.Divert(w.goroutines, g, preempt.Halt) })
		// One that has no call from a cell, and is blocked, has none later.
		if err == nil || errors.Is(err, divert.ErrNoCell) && w.goroutines.State(g) == goruntime.Blocked {
			t.Diverted.Store(true)
		}
	})
}

// addCode calls f, which may put code somewhere; children leave that room out.
func (w *worker) addCode(f func() error) error {
	w.loading.Lock()
	defer w.loading.Unlock()
	err := f()
	for _, n := range w.diverter.Gaps() {
		w.mu.Lock()
		w.addStep(loadStep{Request: link.Request{Gap: n}})
		w.mu.Unlock()
	}
	return err
}

// orphan gives up x, which is blocked.
func (w *worker) orphan(x *execution) {
	w.bars.Drop(x.id)
	g := x.g.Load()
	if preemptErr == nil && w.orphans.request(g) {
		w.tryStop(g)
		w.orphans.add(x)
	}
}

// endsWithin waits for the goroutine to end.
func (x *execution) endsWithin(d time.Duration) bool {
	clock := activeclock.New()
	for spent := time.Duration(0); !x.ended.Load(); spent += clock.Tick(time.Millisecond) {
		if spent > d {
			return false
		}
	}
	return true
}
