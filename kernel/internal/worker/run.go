package worker

import (
	"context"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
)

// An execution is one run of a cell.
type execution struct {
	once sync.Once
	done chan control.Outcome // gets exactly one outcome

	cell   int // its number, or 0
	ctx    *cellContext
	cancel context.CancelFunc // of ctx

	g           atomic.Uintptr // its goroutine while it runs
	labels      uintptr        // profiler labels of that and of what it starts; set before g
	ended       atomic.Bool    // the goroutine has returned
	finished    atomic.Bool    // the outcome is known
	interrupted atomic.Bool
	stopping    atomic.Bool // a goroutine is at it
}

func newExecution(cell int) *execution {
	ctx, cancel := context.WithCancel(context.Background())
	return &execution{done: make(chan control.Outcome, 1), cell: cell, ctx: &cellContext{Context: ctx, cell: cell}, cancel: cancel}
}

// finish ends the cell; only the first outcome counts.
func (x *execution) finish(o control.Outcome) {
	x.once.Do(func() {
		x.finished.Store(true)
		x.done <- o
	})
}

// enter gives the calling goroutine, and all that it will start, the cell's
// label, and notes it as the cell's own.
func (x *execution) enter() {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("cell", strconv.Itoa(x.cell))))
	if self != nil && self.goroutines != nil {
		x.labels = self.goroutines.Look(currentG()).Labels
		self.contexts.add(x.labels, x.ctx, self.goroutines)
	}
	x.g.Store(currentG())
}

// runAll runs cells in the order in which the kernel sends them.
func (w *worker) runAll(runs <-chan control.Message) {
	for m := range runs {
		if m.Kind == control.Setup {
			w.setup(m)
			continue
		}
		out, ok := w.run(m)
		if ok {
			out = w.outcome(m)
		}
		if err := w.conn.Send(out); err != nil {
			endGroup()
		}
	}
}

func (w *worker) run(m control.Message) (control.Message, bool) {
	req := link.Request{Object: m.Object, Fresh: m.Fresh, Renewed: m.Renewed, Entry: m.Entry, Init: m.Init, Forget: m.Forget}
	var err error
	if m.Importcfg != "" {
		w.mu.Lock()
		if err = w.readConfig(w.imageConfig()); err == nil {
			err = w.readConfig(m.Importcfg)
		}
		w.mu.Unlock()
	}
	var l *link.Loaded
	if err == nil && m.Object != "" {
		l, err = w.linker.Load(req)
	}
	if err != nil {
		return control.Message{Kind: control.Done, ID: m.ID, Error: err.Error()}, false
	}
	if m.Object == "" {
		l = &link.Loaded{}
	}
	if err := w.conn.Send(control.Message{Kind: control.Loaded, ID: m.ID, Reset: l.Reset}); err != nil {
		endGroup()
	}
	calls := append(l.Packages, l.Inits...)
	if l.Entry != nil {
		calls = append(calls, l.Entry)
	}
	go w.cell.Load().call(calls)
	return control.Message{}, true
}

// outcome waits for the running cell to end.
func (w *worker) outcome(m control.Message) control.Message {
	x := w.cell.Load()
	done := make(chan struct{})
	defer close(done)
	lost := make(chan struct{})
	go w.watchDeadlock(x).run(done, lost)
	select {
	case o := <-x.done:
		return control.Message{Kind: control.Done, ID: m.ID, Outcome: &o}
	case <-lost:
		w.deadlocked(x)
		o := <-x.done
		return control.Message{Kind: control.Done, ID: m.ID, Outcome: &o}
	}
}

// call runs the cell in a goroutine of its own and catches what ends it.
func (x *execution) call(calls []func()) {
	x.enter()
	returned := false
	defer func() {
		v := recover()
		x.ended.Store(true)
		cancelStop(x.g.Load()) // the runtime may use g again for another goroutine
		switch {
		case returned:
			x.finish(control.Outcome{How: control.Returned})
		case v != nil:
			x.finish(control.Outcome{How: control.Panicked, Value: panicText(v), Frames: frames(3)})
		case x.interrupted.Load():
			list, n := self.goingOn(x)
			x.finish(control.Outcome{How: control.Interrupted, Goroutines: list, Count: n})
		default:
			x.finish(control.Outcome{How: control.Goexit})
		}
	}()
	if x.interrupted.Load() {
		return
	}
	for _, f := range calls {
		f()
	}
	returned = true
}

// panicText says what a panic was about, as the runtime prints it.
func panicText(v any) (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = fmt.Sprintf("(%T) whose text cannot be had: it panics itself", v)
		}
	}()
	switch v := v.(type) {
	case runtime.Error:
		return v.Error()
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case string:
		return v
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr, float32, float64, complex64, complex128:
		return fmt.Sprintf("%T(%v)", v, v)
	}
	return fmt.Sprintf("(%T) %+v", v, v)
}

// frames lists the calls of this goroutine, innermost first, from skip callers
// up to the cell.
func frames(skip int) []control.Frame {
	pc := make([]uintptr, 200)
	n := runtime.Callers(skip, pc)
	var list []control.Frame
	for it := runtime.CallersFrames(pc[:n]); ; {
		f, more := it.Next()
		if strings.HasSuffix(f.Function, "worker.(*execution).call") {
			break
		}
		list = append(list, control.Frame{Func: f.Function, File: f.File, Line: f.Line, PC: f.PC})
		if !more {
			break
		}
	}
	return list
}

// exit ends the cell as os.Exit asks. If that was called by another goroutine
// than the cell's own, the latter is stopped.
func (x *execution) exit(code int) {
	x.finish(control.Outcome{How: control.Exited, Code: code})
	if g := x.g.Load(); currentG() == g {
		x.ended.Store(true)
	} else if !x.ended.Load() {
		x.interrupted.Store(true)
		if x.stopping.CompareAndSwap(false, true) {
			self.start(func() { self.stop(x) })
		}
	}
}
