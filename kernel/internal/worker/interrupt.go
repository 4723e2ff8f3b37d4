package worker

import (
	"errors"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/divert"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

const (
	// contextGrace is how long a cell may take to end by itself after its
	// context was cancelled, if it has asked for it.
	contextGrace = 100 * time.Millisecond
	// parkedPatience is how long a goroutine may be blocked, or in a system
	// call, before it is left behind.
	parkedPatience = 30 * time.Millisecond
	// childPatience is the same where the cell has started processes, which
	// have been ended: it may be waiting for them.
	childPatience = 300 * time.Millisecond
	// libraryPatience is the same where it may wait for package mp, which ends
	// its processes by its own means.
	libraryPatience = stopPatience
	// stopPatience is the same for one that runs, but not code of a cell.
	stopPatience = 500 * time.Millisecond
	// rarelyFound is how long signals alone are tried.
	rarelyFound = 10 * time.Millisecond

	stopInterval = 250 * time.Microsecond // at first; later maxInterval
	maxInterval  = 2 * time.Millisecond

	// longestRound is what one look at a goroutine, and the pause after it, count
	// for at most: where the whole machine stood still for longer, the goroutine
	// had no time either.
	longestRound = 10 * time.Millisecond
)

// A pace is a clock for patience.
type pace struct{ last time.Time }

func newPace() *pace { return &pace{time.Now()} }

// round sleeps and returns what the round since the last one counts for.
func (p *pace) round(pause time.Duration) time.Duration {
	time.Sleep(pause)
	now := time.Now()
	d := min(now.Sub(p.last), longestRound)
	p.last = now
	return d
}

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
	if !x.hasVerdict() && x.user.asked.Load() && x.endsWithin(contextGrace) {
		return
	}
	g := x.g.Load()
	aimed := cannotStop == nil && w.left.aim(g)
	if aimed {
		w.prepare(g)
	}
	x.cancel(errInterrupted) // now it stops where it would go on
	patience := parkedPatience
	if w.started.end(x.labels) > 0 {
		patience = childPatience
	}
	if x.library.Load() {
		patience = libraryPatience
	}
	if aimed {
		if w.chase(x, patience) {
			return
		}
		w.left.add(x)
	}
	if x.finished.Load() {
		return
	}
	list, n := w.goingOn(x)
	x.finish(control.Outcome{How: control.Interrupted, Stuck: w.stuck(x), Goroutines: list, Count: n})
}

// prepare sees to it that a goroutine that is parked does not go on in its cell
// when what it waits for is ended.
func (w *worker) prepare(g uintptr) {
	w.pursue(g)
	clock := newPace()
	for spent := time.Duration(0); spent < lookPatience; spent += clock.round(stopInterval) {
		if t := preempt.TargetOf(g); t == nil || !t.Diverting.Load() {
			return
		}
	}
}

// chase tries to stop the goroutine of x and reports whether it has ended.
func (w *worker) chase(x *execution, parked time.Duration) bool {
	g := x.g.Load()
	clock := newPace()
	var spent, still time.Duration // in all; since it has been seen parked
	for interval := stopInterval; ; interval = min(interval+interval/8, maxInterval) {
		if x.ended.Load() {
			preempt.Cancel(g)
			return true
		}
		if !w.pursue(g) {
			still = 0
			// A goroutine that no signal finds is mostly in the scheduler or
			// the collector. One that is found is not waited for: the world
			// stops only when that comes out of a long run of assembly code.
			if t := preempt.TargetOf(g); t != nil && spent > rarelyFound && t.Outside() < 3 {
				w.fix(t, g)
			}
		}
		if still > parked || spent > stopPatience {
			return false
		}
		d := clock.round(interval)
		spent, still = spent+d, still+d
	}
}

// pursue makes one attempt to stop a goroutine that is aimed at, and reports
// whether it is parked.
func (w *worker) pursue(g uintptr) (parked bool) {
	t := preempt.TargetOf(g)
	if t == nil {
		return false // it is being unwound
	}
	if w.goroutines != nil {
		switch state := w.goroutines.State(g); {
		case state == goruntime.Blocked, state == goruntime.Waiting, w.goroutines.InSyscall(g):
			w.fix(t, g)
			return !w.goroutines.WaitsForSemaphore(g)
		}
	}
	if pc := t.Return(); pc != 0 {
		var to uintptr
		err := w.place(func() (err error) {
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

// fix changes the way back of a goroutine while the world is stopped. Once is
// enough: it comes back to the same place however often it is parked until then.
func (w *worker) fix(t *preempt.Target, g uintptr) {
	if w.goroutines == nil || t.Diverted.Load() || !t.Diverting.CompareAndSwap(false, true) {
		return
	}
	w.start(func() {
		defer t.Diverting.Store(false)
		err := w.place(func() error { return w.diverter.Divert(w.goroutines, g, preempt.Halt) })
		// One that has no call from a cell, and is blocked, has none later.
		if err == nil || errors.Is(err, divert.ErrNoCell) && w.goroutines.State(g) == goruntime.Blocked {
			t.Diverted.Store(true)
		}
	})
}

// place calls f, which may put code somewhere; children leave that room out.
func (w *worker) place(f func() error) error {
	w.loading.Lock()
	defer w.loading.Unlock()
	err := f()
	for _, n := range w.diverter.Gaps() {
		w.mu.Lock()
		w.addStep(load{Request: link.Request{Gap: n}})
		w.mu.Unlock()
	}
	return err
}

// leaveBehind gives up x, which is blocked.
func (w *worker) leaveBehind(x *execution) {
	g := x.g.Load()
	if cannotStop == nil && w.left.aim(g) {
		w.pursue(g)
		w.left.add(x)
	}
}

// endsWithin waits for the goroutine to end.
func (x *execution) endsWithin(d time.Duration) bool {
	clock := newPace()
	for spent := time.Duration(0); !x.ended.Load(); spent += clock.round(time.Millisecond) {
		if spent > d {
			return false
		}
	}
	return true
}
