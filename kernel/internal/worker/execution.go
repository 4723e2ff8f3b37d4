package worker

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/activeclock"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/lib/stopwatch"
)

// An execution is one run of a cell.
type execution struct {
	done chan control.Outcome // receives exactly one outcome

	mu           sync.Mutex       // guards decided, panicOutcome and assigned
	decided      bool             // the outcome has been sent to done
	panicOutcome *control.Outcome // a panic that is the outcome, even if the cell ends in another way
	// assigned are the names that were passed to Assigned.
	assigned []string

	id           int  // ID of the execution
	cell         int  // number of the cell, or 0
	anyPanicEnds bool // an unrecovered panic in any goroutine ends the cell
	// ctx is canceled, with errInterrupted as its cause, when the cell is interrupted and its
	// goroutine is a target of package preempt.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// cellCtx is the value of ctx in code of the cell. It is canceled before ctx.
	cellCtx    *cellContext
	cancelUser context.CancelFunc

	g           atomic.Uintptr // the cell's goroutine while the cell runs
	labels      uintptr        // profiler labels of that goroutine and of those that it starts; set before g
	ended       atomic.Bool    // the goroutine has returned
	finished    atomic.Bool    // the outcome is known
	interrupted atomic.Bool
	stopping    atomic.Bool // a goroutine is stopping the cell
	usesLibrary atomic.Bool // package mp has asked for ctx
	// initializing is the package whose initialization runs before the cell.
	initializing atomic.Pointer[link.PackageInit]
	watch        stopwatch.Watch
}

func newExecution(cell int) *execution {
	x := &execution{done: make(chan control.Outcome, 1), cell: cell}
	x.ctx, x.cancel = context.WithCancelCause(context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	x.cellCtx, x.cancelUser = &cellContext{Context: ctx, cell: cell}, cancel
	return x
}

// errInterrupted is the cause with which the context of an interrupted execution is canceled.
var errInterrupted error = interruptedError{}

type interruptedError struct{}

func (interruptedError) Error() string { return "the cell was interrupted" }

func (interruptedError) Is(target error) bool { return target == context.Canceled }

// finish sends the outcome of the cell. Only the first call counts. If there is a panicOutcome, finish sends
// that instead of o.
func (x *execution) finish(o control.Outcome) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.decided {
		return
	}
	if x.panicOutcome != nil {
		x.panicOutcome.Stuck = o.Stuck
		o = *x.panicOutcome
	}
	x.decided = true
	x.finished.Store(true)
	x.done <- o // does not block: the channel is buffered
}

func (x *execution) assignments() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.assigned
}

// setPanicOutcome makes the panic o the cell's outcome. It returns false if the cell has an outcome or is
// being interrupted.
func (x *execution) setPanicOutcome(o control.Outcome) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.decided || x.panicOutcome != nil || x.interrupted.Load() {
		return false
	}
	x.panicOutcome = &o
	return true
}

func (x *execution) hasPanicOutcome() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.panicOutcome != nil
}

// endsWithin waits at most d for the goroutine of x to end, and reports whether it has.
func (x *execution) endsWithin(d time.Duration) bool {
	clock := activeclock.New()
	for spent := time.Duration(0); !x.ended.Load(); spent += clock.Tick(time.Millisecond) {
		if spent > d {
			return false
		}
	}
	return true
}

// haltInterrupted stops the calling goroutine if it is the goroutine of x and x has been interrupted. So the cell does
// not show the error that the interrupt has caused.
func (x *execution) haltInterrupted() {
	if g := preempt.CurrentG(); x != nil && x.g.Load() == g && x.interrupted.Load() {
		preempt.Cancel(g)
		preempt.Halt()
	}
}

// notices are the notices that the running cell has shown.
type notices struct {
	mu    sync.Mutex
	shown []string
}

func (n *notices) begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shown = nil
}

func (n *notices) isNew(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Contains(n.shown, text) {
		return false
	}
	n.shown = append(n.shown, text)
	return true
}
