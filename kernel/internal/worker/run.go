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
	"github.com/perijove/perijove/kernel/internal/streams"
	"github.com/perijove/perijove/lib/display/displayhost"
	"golang.org/x/sys/unix"
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
	anyPanicEnds bool // an unrecovered panic in any goroutine ends it
	// ctx is cancelled, with errInterrupted as its cause, when the cell is interrupted and its
	// goroutine is a target of package preempt.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// cellCtx is the value of ctx in code of the cell. It is cancelled before ctx.
	cellCtx    *cellContext
	cancelUser context.CancelFunc

	g           atomic.Uintptr // its goroutine while it runs
	labels      uintptr        // profiler labels of that goroutine and of those that it starts; set before g
	ended       atomic.Bool    // the goroutine has returned
	finished    atomic.Bool    // the outcome is known
	interrupted atomic.Bool
	stopping    atomic.Bool // a goroutine is stopping it
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

// errInterrupted is the cause with which the context of an interrupted execution is cancelled.
var errInterrupted error = interruptedError{}

type interruptedError struct{}

func (interruptedError) Error() string        { return "the cell was interrupted" }
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

// enter records the calling goroutine as that of the cell.
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
	w.cellLabels.Enter(m.ID, m.Cell) // sets the label of this goroutine, which that of the cell inherits
	changed := w.outputPipes.change(m.OutputPipes)
	if err := w.conn.Send(control.Loaded{ID: m.ID, Reset: l.Reset, Notices: l.Notices, UsesOutputPipes: changed}); err != nil {
		endGroup()
	}
	streams.Begin()
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

// reload replaces packages by other versions.
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

// apply reads the importcfg of a step and reloads its packages. renewed says whether these got new types.
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

// outcome waits for the running cell to end and returns its outcome.
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
	for _, text := range streams.Restore(o.How != control.Returned) {
		w.notice(text)
	}
	w.dropUnread(x)
	w.cellLabels.Leave()
	return w.outputPipes.mark(control.Done{ID: id, Outcome: o})
}

// call runs the cell in the calling goroutine and finishes x with the outcome. The goroutine must be a new one.
func (x *execution) call(w *worker, l *link.Loaded, first *control.Initial) {
	x.enter()
	returned := false
	defer func() {
		v := recover()
		x.ended.Store(true)
		preempt.Cancel(x.g.Load()) // another goroutine may get the same runtime.g
		x.finish(x.outcome(returned, v))
	}()
	if x.interrupted.Load() {
		return
	}
	x.initialize(w, l.Packages)
	switch {
	case len(l.Inits) > 0:
		w.initializeOwn(l.Inits, first)
	case first != nil: // nil only in tests
		w.noteFirst(first)
		w.recordLoaded()
	}
	if l.Entry != nil {
		l.Entry()
	}
	returned = true
}

// outcome returns how the cell's goroutine has ended. returned says that it has returned; v is the
// value of its panic, or nil.
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
		return control.Outcome{} // finish replaces it by the panic
	case x.interrupted.Load(): // the cell has ended because of the interrupt, perhaps with a panic
		list, n := self.startedGoroutines(x)
		return control.Outcome{How: control.Interrupted, Goroutines: list, Count: n, Frames: frames(3)}
	case returned:
		return control.Outcome{How: control.Returned}
	}
	return control.Outcome{How: control.Goexit, Frames: x.initFrames()}
}

// initFrames returns the calls of the calling goroutine, which is that of the cell, if it is initializing a package, else nil.
func (x *execution) initFrames() []control.Frame {
	if x.initializing.Load() == nil {
		return nil
	}
	return frames(3)
}

// frames returns the calls of the calling goroutine up to the cell, innermost first, without the first skip
// ones.
func frames(skip int) []control.Frame {
	call, initialize := reflect.ValueOf((*execution).call).Pointer(), reflect.ValueOf((*execution).initialize).Pointer()
	return cellruntime.Frames(skip-1, func(f runtime.Frame) bool { return f.Entry == call || f.Entry == initialize })
}

// exit ends the cell because of a call of os.Exit. If another goroutine than that of the cell has
// called it, exit stops the goroutine of the cell.
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

// Assigned notes that variables whose type has changed have got their values. Generated code calls it
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

// A fileReserve keeps some file descriptors open that cells cannot use. If cells have opened as many files as
// a process may, the worker can still load code, so that a cell can close files.
type fileReserve struct{ fds []int }

// reservedFiles is more than the number of files that are open at a time while code is loaded.
const reservedFiles = 4

// release closes the reserved descriptors, so that code can be loaded.
func (s *fileReserve) release() {
	for _, fd := range s.fds {
		_ = unix.Close(fd)
	}
	s.fds = s.fds[:0]
}

// fill reserves descriptors again.
func (s *fileReserve) fill() {
	for len(s.fds) < reservedFiles {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return // cells have used them in the meantime
		}
		s.fds = append(s.fds, fd)
	}
}
