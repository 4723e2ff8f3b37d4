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
	// contextTimeout is how long a cell that uses ctx may take to end by itself after
	// ctx was canceled.
	contextTimeout = 100 * time.Millisecond
	// blockedTimeout is how long a goroutine may be blocked, or in a system call, before
	// the cell ends without it.
	blockedTimeout = 30 * time.Millisecond
	// childrenTimeout is used in place of blockedTimeout for a cell that has started processes. The interrupt ends
	// them, and the cell may be waiting for their end.
	childrenTimeout = 300 * time.Millisecond
	// libraryTimeout is used in place of blockedTimeout for a cell that may be waiting for package mp, which ends its
	// processes itself.
	libraryTimeout = stopTimeout
	// stopTimeout is how long a goroutine may run outside of cell code before the cell
	// ends without it.
	stopTimeout = 500 * time.Millisecond
	// signalOnlyPeriod is how long to try signals before stopping the world.
	signalOnlyPeriod = 10 * time.Millisecond

	minStopInterval = 250 * time.Microsecond // first time between two attempts; it grows up to maxStopInterval
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
		return // the cell has not begun, and will not begin, or it has ended
	}
	if x.stopping.CompareAndSwap(false, true) {
		go w.stop(x)
	}
}

// stop ends x. If its goroutine cannot be stopped, since it is blocked or
// in a long call of the standard library, the cell ends anyway, and
// the goroutine is stopped when it returns to cell code.
func (w *worker) stop(x *execution) {
	if !x.hasPanicOutcome() && x.cellCtx.asked.Load() && x.endsWithin(contextTimeout) {
		return
	}
	g := x.g.Load()
	aimed := preemptErr == nil && w.pendingStops.request(g)
	if aimed {
		w.divertBlocked(g)
	}
	x.cancel(errInterrupted) // only now: if this wakes the goroutine, it is already a target and is stopped
	timeout := blockedTimeout
	if w.processes.End(x.labels) > 0 {
		timeout = childrenTimeout
	}
	if x.usesLibrary.Load() {
		timeout = libraryTimeout
	}
	if aimed {
		if w.stopRunning(x, timeout) {
			return
		}
		w.pendingStops.add(x)
	}
	if x.finished.Load() {
		return
	}
	list, n := w.startedGoroutines(x)
	x.finish(control.Outcome{How: control.Interrupted, Stuck: w.stackOf(x), Goroutines: list, Count: n})
}

// divertBlocked diverts a blocked goroutine, so that it does not continue in its cell
// when the event that it waits for happens.
func (w *worker) divertBlocked(g uintptr) {
	w.tryStop(g)
	clock := activeclock.New()
	for spent := time.Duration(0); spent < stopWorldTimeout; spent += clock.Tick(minStopInterval) {
		if t := preempt.TargetOf(g); t == nil || !t.Diverting.Load() {
			return
		}
	}
}

// stopRunning tries to stop the goroutine of x and reports whether it has ended. It stops trying after stopTimeout, or when
// the goroutine has been blocked for longer than parked.
func (w *worker) stopRunning(x *execution, parked time.Duration) bool {
	g := x.g.Load()
	clock := activeclock.New()
	var spent, still time.Duration // time in total, and time since the goroutine became blocked
	for interval := minStopInterval; ; interval = min(interval+interval/8, maxStopInterval) {
		if x.ended.Load() {
			preempt.Cancel(g)
			return true
		}
		if !w.tryStop(g) {
			still = 0
			// A goroutine that no signal finds is usually in the scheduler or the garbage collector: divert it with the
			// world stopped. If signals find it outside of cell code, do not stop the world, which may take long if the
			// goroutine runs assembly code.
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

// tryStop makes one attempt to stop a target of package preempt, and reports
// whether it is blocked.
func (w *worker) tryStop(g uintptr) (parked bool) {
	t := preempt.TargetOf(g)
	if t == nil {
		return false // it is no longer a target, so it is ending
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

// aroundDiversion is nil except in a test, in which a cell sets it by go:linkname. It is called before a return address
// is changed, and its result afterwards.
var aroundDiversion func() func()

// divertParked changes the return address of a goroutine while the world is stopped, in another goroutine. It does so
// only once: the goroutine returns to the same address even if it is blocked several times before.
func (w *worker) divertParked(t *preempt.Target, g uintptr) {
	if w.goroutines == nil || t.Diverted.Load() || !t.Diverting.CompareAndSwap(false, true) {
		return
	}
	w.spawn(func() {
		defer t.Diverting.Store(false)
		if aroundDiversion != nil {
			defer aroundDiversion()()
		}
		wanted := func() bool { return preempt.TargetOf(g) == t }
		err := w.addCode(func() error { return w.diverter.Divert(w.goroutines, g, preempt.Halt, wanted) })
		// If the stack of a blocked goroutine has no call from a cell now, it will not have one later.
		if done := err == nil || errors.Is(err, divert.ErrNoCell) && w.goroutines.State(g) == goruntime.Blocked; done && wanted() {
			t.Diverted.Store(true)
		}
	})
}

// addCode calls f, which may add code to the module. It records the used space as a load step, so that children
// reserve it.
func (w *worker) addCode(f func() error) error {
	w.loading.Lock()
	defer w.loading.Unlock()
	err := f()
	for _, n := range w.diverter.Gaps() {
		w.steps.add(loadStep{Request: link.Request{Gap: n}})
	}
	return err
}

// endWithoutGoroutine ends x without its goroutine, which is blocked. The goroutine is stopped when it
// reaches cell code.
func (w *worker) endWithoutGoroutine(x *execution) {
	w.bars.Drop(x.id)
	g := x.g.Load()
	if preemptErr == nil && w.pendingStops.request(g) {
		w.tryStop(g)
		w.pendingStops.add(x)
	}
}
