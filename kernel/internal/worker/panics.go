package worker

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/activeclock"
	"github.com/perijove/perijove/kernel/internal/celllabels"
	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

// A panic that no function recovers ends a program. Here it ends the goroutine
// alone, and fails the cell that the goroutine belongs to if that still runs:
// from its beginning until its own goroutine has ended and none of its others is
// panicking. After that it shows as text in the cell's output. A cell fails once:
// the panics of further goroutines show as text, too.

// panics is runtime.runningPanicDefers, which counts the panics whose deferred
// functions run; it is nil if the runtime has no such count. It may stay too high
// after a panic within a panic.
var panics *atomic.Uint32

// panicRecord mirrors the beginning of runtime._panic.
type panicRecord struct{ arg any }

// fatalPanic replaces runtime.fatalpanic, which a goroutine calls whose panic
// was not recovered, after all of its deferred functions ran. It reports the
// panic and ends the goroutine alone.
func fatalPanic(p *panicRecord) {
	w := self
	o := control.Outcome{How: control.Panicked, Value: cellruntime.PanicText(p.arg), Frames: frames(3), Goroutine: "goroutine"}
	var started uintptr
	if w.goroutines != nil {
		started = w.goroutines.Describe(preempt.CurrentG()).Go
	}
	if !userFrames(o.Frames) && !inCell(started-1) {
		// Not of the user's making: a fault of ours, which must not be hidden.
		fmt.Fprintf(os.Stderr, "panic: %s\n", o.Value)
		for _, f := range o.Frames {
			fmt.Fprintf(os.Stderr, "%s\n\t%s:%d\n", f.Func, f.File, f.Line)
		}
		exitNow(2)
	}
	w.noteStart(&o, started)
	id := w.owner(&o)
	x := w.cell.Load()
	switch mine := x != nil && x.id == id; {
	case mine && x.anyPanicEnds:
		w.report(id, o)
		x.exit(2)
	case !mine || !x.failWithPanic(o):
		w.report(id, o)
	}
	if panics != nil {
		panics.Add(^uint32(0)) // as runtime.fatalpanic does
	}
	w.endGoroutine()
}

// report has a panic shown as text in the output of a cell.
func (w *worker) report(id int, o control.Outcome) {
	_ = w.conn.Send(control.GoroutinePanic{ID: id, Outcome: o}) // fails if the kernel is gone
}

// noteStart notes what a goroutine is and what has started it: started is the
// return address of its go statement.
func (w *worker) noteStart(o *control.Outcome, started uintptr) {
	switch goroutineStart() {
	case "runtime.runFinalizers":
		o.Goroutine = "finalizer"
		return
	case "runtime.runCleanups":
		o.Goroutine = "cleanup"
		return
	}
	if f := runtime.FuncForPC(started); f != nil && f.Name() == "time.goFunc" {
		o.Goroutine = "timer"
		if pc, ok := timerStarts.LoadAndDelete(preempt.CurrentG()); ok {
			started = pc.(uintptr)
		}
	}
	if list := framesAt([]uintptr{started}); len(list) > 0 {
		o.Started = &list[0]
		if !inCell(started - 1) {
			o.Runs = outermost(o.Frames)
		}
	}
}

// outermost returns where the outermost function of a cell begins, or nil if there is none in the list or that may be cut off.
func outermost(list []control.Frame) *control.Frame {
	if len(list) >= cellruntime.MaxDepth {
		return nil
	}
	for _, f := range slices.Backward(list) {
		if !inCell(f.PC) {
			continue
		}
		entry := runtime.FuncForPC(f.PC).Entry() // that of the function that f may be inlined into
		fn := runtime.FuncForPC(entry)
		file, line := fn.FileLine(entry)
		return &control.Frame{Func: fn.Name(), File: file, Line: line, PC: entry}
	}
	return nil
}

// owner returns the execution that the calling goroutine, which has panicked,
// belongs to: the one whose label it has, or else the newest of the cell that
// has its code. It returns 0 if there is none.
func (w *worker) owner(o *control.Outcome) int {
	if label := celllabels.Current(); label != nil {
		if id := w.cellLabels.Of(label); id != 0 {
			return id
		}
	}
	if o.Started != nil {
		if n, ok := cellNumber(o.Started.File); ok {
			return w.cellLabels.OfCell(n)
		}
	}
	id := 0
	for _, f := range o.Frames { // the outermost decides
		if n, ok := cellNumber(f.File); ok {
			id = w.cellLabels.OfCell(n)
		}
	}
	return id
}

// cellNumber reads the number of a cell out of the name of a source file.
func cellNumber(file string) (int, bool) {
	const prefix = "Cell ["
	i := strings.LastIndex(file, prefix)
	if i < 0 {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSuffix(file[i+len(prefix):], "]"))
	return n, err == nil
}

func userFrames(list []control.Frame) bool {
	for _, f := range list {
		if inCell(f.PC) {
			return true
		}
	}
	return false
}

// failWithPanic has the panic of one of the cell's goroutines end the cell. It reports
// false if the cell has ended, or is ended by something else.
func (x *execution) failWithPanic(o control.Outcome) bool {
	if !x.setPanicOutcome(o) {
		return false
	}
	x.interrupted.Store(true)
	if !x.ended.Load() && x.stopping.CompareAndSwap(false, true) {
		self.spawn(func() { self.stop(x) })
	}
	return true
}

// setPanicOutcome makes the panic o the cell's outcome, unless there is one or the cell is
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

// panicTimeout is how long the end of a cell waits for its goroutines that panic:
// their deferred functions may have let the cell go on, as those do that call
// (*sync.WaitGroup).Done, and the panics may yet be recovered.
const panicTimeout = 250 * time.Millisecond

// awaitPanics waits while a goroutine of x, other than its own, panics.
func (w *worker) awaitPanics(x *execution) {
	if w == nil || w.goroutines == nil || x.labels == 0 || panics != nil && panics.Load() == 0 {
		return
	}
	clock := activeclock.New()
	pause := 20 * time.Microsecond
	for spent := time.Duration(0); spent < panicTimeout && w.panicking(x); spent += clock.Tick(pause) {
		pause = min(2*pause, time.Millisecond)
	}
}

func (w *worker) panicking(x *execution) bool {
	own := x.g.Load()
	for g := range w.goroutines.Unwinding {
		if g.G != own && g.Labels == x.labels {
			return true
		}
	}
	return false
}
