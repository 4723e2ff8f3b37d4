package worker

import (
	"errors"
	"reflect"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/activeclock"
	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/kernel/internal/streams"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

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
func (w *worker) run(m control.Run) (err error) {
	if err := w.startTrace(m.Trace); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.stopTrace()
		}
	}()
	req := link.Request{Object: m.Object, Initial: m.Initial.Func, Fresh: m.Fresh, Renewed: m.Renewed, Literals: m.Literals, Entry: m.Entry, Init: m.Init, Forget: m.Forget, Live: m.Live, Retry: m.Retry}
	w.loading.Lock()
	defer w.loading.Unlock()
	w.fileReserve.release()
	_, err = w.apply(loadStep{Importcfg: m.Importcfg})
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
		w.steps.add(loadStep{Request: req, Importcfg: m.Importcfg})
	}
	displayhost.SetTextOnly(m.TextOnly)
	if m.Source != nil {
		mpsource.Set(mpsource.NewTable(*m.Source))
	}
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

// loadFailed returns the reply for a cell that could not be loaded.
func loadFailed(id int, err error) control.LoadFailed {
	out := control.LoadFailed{ID: id, Reason: err.Error()}
	_, out.Untraced = errors.AsType[*traceError](err)
	var at *link.OriginError
	if errors.As(err, &at) {
		out.Import = at.Package
		if at.File != "" {
			out.At = &control.Frame{Func: at.Func, File: at.File, Line: at.Line}
		}
	}
	return out
}

// outcome waits until the running cell has ended and returns its outcome.
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
	w.stopTrace()
	return w.outputPipes.mark(control.Done{ID: id, Outcome: o})
}

// call runs the cell in the calling goroutine and finishes x with the outcome. It must be called in a new goroutine.
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
	if self != nil && self.traced.Load() { // self is nil only in tests
		mphost.TraceRoot()
	}
	x.initialize(w, l.Packages)
	switch {
	case len(l.Inits) > 0:
		w.initializeOwn(l.Inits, first)
	case first != nil: // first is nil only in tests
		w.noteFirst(first)
		w.recordLoaded()
	}
	if l.Entry != nil {
		l.Entry()
	}
	returned = true
}

// outcome returns how the cell's goroutine has ended. returned reports whether the cell's code has returned; v is the
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

// frames returns the calls of the calling goroutine up to the cell, innermost first, without the first skip calls.
func frames(skip int) []control.Frame {
	call, initialize := reflect.ValueOf((*execution).call).Pointer(), reflect.ValueOf((*execution).initialize).Pointer()
	return cellruntime.Frames(skip-1, func(f runtime.Frame) bool { return f.Entry == call || f.Entry == initialize })
}

// exit ends the cell because the calling goroutine has called os.Exit. If that is not the goroutine of the cell, exit
// stops the goroutine of the cell.
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

// panics is runtime.runningPanicDefers, the number of panics whose deferred
// functions are running; nil if the runtime has no such variable. It may stay too high
// after a panic in a deferred function of a panic.
var panics *atomic.Uint32

// panicTimeout is how long the end of a cell waits for panicking goroutines of the cell. A deferred
// function of such a goroutine may have let the cell continue, for example by
// (*sync.WaitGroup).Done, and the panic may still be recovered.
const panicTimeout = 250 * time.Millisecond

// awaitPanics waits, at most panicTimeout, while a goroutine that x has started is panicking.
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

// report shows a panic as text in the output of an execution.
func (w *worker) report(id int, o control.Outcome) {
	_ = w.conn.Send(control.GoroutinePanic{ID: id, Outcome: o}) // fails if the kernel has ended
}
