package worker

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/kernel/internal/stopwatch"
	"github.com/perijove/perijove/lib/display/displayhost"
	"golang.org/x/sys/unix"
)

// An execution is one run of a cell.
type execution struct {
	done chan control.Outcome // gets exactly one outcome

	mu           sync.Mutex       // guards what follows
	decided      bool             // done has got the outcome
	panicOutcome *control.Outcome // a panic: the outcome, whatever else ends the cell
	// assigned are the variables that Assigned has noted.
	assigned []string

	id           int  // of the execution
	cell         int  // its number, or 0
	anyPanicEnds bool // an unrecovered panic in any goroutine ends it
	// ctx ends when the cell is interrupted, with errInterrupted as its cause,
	// and its goroutine is aimed at.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// cellCtx is what code of the cell has as ctx. It ends first.
	cellCtx    *cellContext
	cancelUser context.CancelFunc

	g           atomic.Uintptr // its goroutine while it runs
	labels      uintptr        // profiler labels of that and of what it starts; set before g
	ended       atomic.Bool    // the goroutine has returned
	finished    atomic.Bool    // the outcome is known
	interrupted atomic.Bool
	stopping    atomic.Bool // a goroutine is at it
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

// errInterrupted is why an execution's context ended.
var errInterrupted error = interruptedError{}

type interruptedError struct{}

func (interruptedError) Error() string        { return "the cell was interrupted" }
func (interruptedError) Is(target error) bool { return target == context.Canceled }

// finish ends the cell; only the first outcome counts, unless a goroutine's
// panic has decided already.
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
	x.done <- o // there is room
}

// enter notes the calling goroutine as the cell's own.
func (x *execution) enter() {
	if self != nil && self.goroutines != nil {
		g := self.goroutines.Describe(preempt.CurrentG())
		x.labels = g.Labels
		self.cellStart.Store(g.Start)
		self.contexts.add(x.labels, x.cellCtx, self.goroutines)
	}
	x.g.Store(preempt.CurrentG())
}

// run loads a cell and starts it.
func (w *worker) run(m control.Run) error {
	req := link.Request{Object: m.Object, Initial: m.Initial.Func, Fresh: m.Fresh, Renewed: m.Renewed, Literals: m.Literals, Entry: m.Entry, Init: m.Init, Forget: m.Forget, Live: m.Live, Retry: m.Retry}
	w.loading.Lock()
	defer w.loading.Unlock()
	w.fileReserve.release()
	_, err := w.apply(loadStep{Importcfg: m.Importcfg})
	var l *link.Loaded
	if err == nil && m.Object != "" {
		l, err = w.linker.Load(req)
	}
	w.fileReserve.fill()
	if err != nil {
		return err
	}
	if m.Object == "" {
		l = &link.Loaded{}
	} else {
		w.mu.Lock()
		w.addStep(loadStep{Request: req, Importcfg: m.Importcfg})
		w.mu.Unlock()
	}
	displayhost.SetTextOnly(m.TextOnly)
	w.cellLabels.Enter(m.ID, m.Cell) // this goroutine too, which starts the cell's
	changed := w.outputPipes.change(m.OutputPipes)
	if err := w.conn.Send(control.Loaded{ID: m.ID, Reset: l.Reset, Notices: l.Notices, UsesOutputPipes: changed}); err != nil {
		endGroup()
	}
	rememberStreams()
	w.notices.begin()
	go w.cell.Load().call(w, l, &m.Initial)
	return nil
}

// loadFailed is the reply for a cell that could not be loaded.
func loadFailed(id int, err error) control.LoadFailed {
	out := control.LoadFailed{ID: id, Reason: err.Error()}
	var at *link.OriginError
	if errors.As(err, &at) {
		out.Import = at.Package
		if at.File != "" {
			out.At = &control.Frame{Func: at.Func, File: at.File, Line: at.Line}
		}
	}
	return out
}

// reload goes over to other versions of packages.
func (w *worker) reload(m control.Reload) control.ReloadReply {
	step := loadStep{Importcfg: m.Importcfg, Packages: m.Packages, Renew: m.Renew}
	out := control.ReloadReply{ID: m.ID}
	w.loading.Lock()
	defer w.loading.Unlock()
	w.fileReserve.release()
	renewed, err := w.apply(step)
	w.fileReserve.fill()
	if err != nil {
		out.Error = err.Error()
	} else {
		out.Renewed = renewed
		w.mu.Lock()
		w.addStep(step)
		w.mu.Unlock()
	}
	return out
}

// apply makes the packages of a step known to the linker.
func (w *worker) apply(step loadStep) (renewed bool, err error) {
	if step.Importcfg != "" {
		w.mu.Lock()
		if err = w.readConfig(w.imageConfig()); err == nil {
			err = w.readConfig(step.Importcfg)
		}
		w.mu.Unlock()
	}
	if err == nil && len(step.Packages) > 0 {
		return w.linker.Reload(step.Packages, step.Renew)
	}
	return false, err
}

// outcome waits for the running cell to end.
func (w *worker) outcome(id int) control.Done {
	x := w.cell.Load()
	done := make(chan struct{})
	defer close(done)
	lost := make(chan struct{})
	go w.watchDeadlock(x).run(done, lost)
	var o control.Outcome
	select {
	case o = <-x.done:
	case <-lost:
		w.deadlocked(x)
		o = <-x.done
	}
	w.noteUninitialized(x, &o)
	o.Assigned = x.assignments()
	w.restoreStreams(o)
	w.dropUnread(x)
	w.cellLabels.Leave()
	return w.outputPipes.mark(control.Done{ID: id, Outcome: o})
}

// call runs the cell in a new goroutine and catches what ends it.
func (x *execution) call(w *worker, l *link.Loaded, first *control.Initial) {
	x.enter()
	returned := false
	defer func() {
		v := recover()
		x.ended.Store(true)
		preempt.Cancel(x.g.Load()) // the runtime may use g again for another goroutine
		x.finish(x.outcome(returned, v))
	}()
	if x.interrupted.Load() {
		return
	}
	x.initialize(w, l.Packages)
	switch {
	case len(l.Inits) > 0:
		w.initializeOwn(l.Inits, first)
	case first != nil: // as in all but tests
		w.noteFirst(first)
		w.recordLoaded()
	}
	if l.Entry != nil {
		l.Entry()
	}
	returned = true
}

// outcome says how the cell's goroutine has ended: by returning, with the value
// of a panic, or otherwise.
func (x *execution) outcome(returned bool, v any) control.Outcome {
	if v != nil {
		panicked := control.Outcome{How: control.Panicked, Value: cellruntime.PanicText(v), Child: cellruntime.ChildFrames(v), Frames: frames(4)}
		if !x.setPanicOutcome(panicked) && x.hasPanicOutcome() {
			self.report(x.id, panicked)
		}
	}
	if !x.interrupted.Load() {
		self.awaitPanics(x)
	}
	switch {
	case x.hasPanicOutcome():
		return control.Outcome{} // it takes the place of any other
	case x.interrupted.Load(): // it noticed by itself, or a panic is what the interrupt made of the cell
		list, n := self.startedGoroutines(x)
		return control.Outcome{How: control.Interrupted, Goroutines: list, Count: n, Frames: frames(3)}
	case returned:
		return control.Outcome{How: control.Returned}
	}
	return control.Outcome{How: control.Goexit, Frames: x.initFrames()}
}

// initFrames lists the calls of this goroutine, the cell's own, while it initializes a package.
func (x *execution) initFrames() []control.Frame {
	if x.initializing.Load() == nil {
		return nil
	}
	return frames(3)
}

// frames lists the calls of this goroutine, innermost first, from skip callers
// up to the cell.
func frames(skip int) []control.Frame {
	call, initialize := reflect.ValueOf((*execution).call).Pointer(), reflect.ValueOf((*execution).initialize).Pointer()
	return cellruntime.Frames(skip-1, func(f runtime.Frame) bool { return f.Entry == call || f.Entry == initialize })
}

// exit ends the cell as os.Exit asks. If that was called by another goroutine
// than the cell's own, the latter is stopped.
func (x *execution) exit(code int) {
	o := control.Outcome{How: control.Exited, Code: code}
	if preempt.CurrentG() == x.g.Load() {
		o.Frames = x.initFrames()
	}
	x.finish(o)
	if g := x.g.Load(); preempt.CurrentG() == g {
		x.ended.Store(true)
	} else if !x.ended.Load() {
		x.interrupted.Store(true)
		if x.stopping.CompareAndSwap(false, true) {
			self.spawn(func() { self.stop(x) })
		}
	}
}

// Assigned notes that variables have got their values. Generated code calls it
// by its linker name.
func Assigned(names ...string) {
	if x := self.cell.Load(); x != nil && x.g.Load() == preempt.CurrentG() {
		x.mu.Lock()
		x.assigned = append(x.assigned, names...)
		x.mu.Unlock()
	}
}

func (x *execution) assignments() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.assigned
}

// A fileReserve is file descriptors that cells do not get: code can still be loaded,
// so that a cell can close files, when cells have opened all that a process may.
type fileReserve struct{ fds []int }

// reservedFiles is more than the number of files that are open at a time while code is loaded.
const reservedFiles = 4

// release makes room for what loads code.
func (s *fileReserve) release() {
	for _, fd := range s.fds {
		_ = unix.Close(fd)
	}
	s.fds = s.fds[:0]
}

// fill takes them back.
func (s *fileReserve) fill() {
	for len(s.fds) < reservedFiles {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return // they were used meanwhile
		}
		s.fds = append(s.fds, fd)
	}
}
