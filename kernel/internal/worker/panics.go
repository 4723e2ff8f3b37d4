package worker

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/celllabels"
	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

// A panic that no function recovers ends a Go program. In the worker process, it ends only the goroutine, and fails the
// cell that the goroutine belongs to if the cell still runs. A cell runs from its beginning until its goroutine has
// ended and no other goroutine of the cell is panicking. A later panic is shown as text in the cell's output. A cell
// fails only once: panics of further goroutines are shown as text, too.

// panicRecord mirrors the beginning of runtime._panic.
type panicRecord struct{ arg any }

// fatalPanic replaces runtime.fatalpanic, which a goroutine calls if its panic
// was not recovered, after its deferred functions have run. It reports the
// panic and ends only the goroutine.
func fatalPanic(p *panicRecord) {
	w := self
	o := control.Outcome{How: control.Panicked, Value: cellruntime.PanicText(p.arg), Frames: frames(3), Goroutine: "goroutine"}
	var started uintptr
	if w.goroutines != nil {
		started = w.goroutines.Describe(preempt.CurrentG()).Go
	}
	if !userFrames(o.Frames) && !inCell(started-1) {
		// No code of the user is involved, so the panic is a bug of Perijove and must be visible.
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

// endGoroutine ends the calling goroutine without running its deferred
// functions. If the goroutine ran finalizers or cleanups, endGoroutine starts another goroutine for them.
func (w *worker) endGoroutine() {
	w.finalizerLoops.Restart()
	goexit1()
	select {}
}

// noteStart adds to o the kind of the calling goroutine and the call that has started it. started is the return address
// of the go statement.
func (w *worker) noteStart(o *control.Outcome, started uintptr) {
	switch goruntime.GoroutineStart() {
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

// outermost returns the position at which the outermost function of a cell begins. It returns nil if the list has none, or may
// be cut off.
func outermost(list []control.Frame) *control.Frame {
	if len(list) >= cellruntime.MaxDepth {
		return nil
	}
	for _, f := range slices.Backward(list) {
		if !inCell(f.PC) {
			continue
		}
		entry := runtime.FuncForPC(f.PC).Entry() // the entry of the function that f may be inlined into
		fn := runtime.FuncForPC(entry)
		file, line := fn.FileLine(entry)
		return &control.Frame{Func: fn.Name(), File: file, Line: line, PC: entry}
	}
	return nil
}

// owner returns the ID of the execution that the calling goroutine, which has panicked,
// belongs to: the one whose label it has, or else the newest execution of the cell that
// contains its code. It returns 0 if there is none.
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
	for _, f := range o.Frames { // the last match is the outermost frame
		if n, ok := cellNumber(f.File); ok {
			id = w.cellLabels.OfCell(n)
		}
	}
	return id
}

// cellNumber returns the number of a cell from the name of a source file.
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

// failWithPanic ends the cell with the panic o of one of its goroutines. It returns
// false if the cell has ended, or is being ended for another reason.
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
