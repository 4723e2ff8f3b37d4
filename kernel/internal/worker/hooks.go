package worker

import (
	"fmt"
	"os"
	"reflect"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/kernel/internal/streams"
)

var (
	origExit   func(code int)
	origGoexit func()
)

// installHooks replaces functions of the runtime and of the standard library that would end the process, and the
// functions for input and output.
func (w *worker) installHooks() {
	var err error
	if w.finalizerLoops, err = goruntime.FindFinalizerLoops(w.runtime); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: a panic in a finalizer will end all finalizers, since it cannot be caught:", err)
	}
	if origGoexit, err = goruntime.Original[func()](w.runtime, "runtime.Goexit"); err == nil {
		_, err = goruntime.Hook(w.runtime, "runtime.Goexit", goexit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: runtime.Goexit in a finalizer will end all finalizers, since it cannot be caught:", err)
	}
	module := w.linker.Module()
	inCell, ofCell = module.Contains, module.OfCell
	if origExit, err = goruntime.Hook(w.runtime, "os.Exit", osExit); err != nil || origExit == nil {
		fmt.Fprintln(os.Stderr, "perijove worker: os.Exit in a cell will end the process that runs the cells, since it cannot be caught:", err)
	}
	if _, err = goruntime.Hook(w.runtime, "runtime.fatalpanic", fatalPanic); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: a panic in a goroutine will end the process that runs the cells, since it cannot be caught:", err)
	}
	if panics, err = goruntime.Var[atomic.Uint32](w.runtime, "runtime.runningPanicDefers"); err != nil {
		panics = nil // makes awaitPanics always check all goroutines
	}
	// In stack traces, the function that calls a cell gets the name of the function that calls a program's main
	// function.
	if err := w.runtime.RenameFunc(reflect.ValueOf((*execution).call).Pointer(), "runtime.main"); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: stack traces will show functions of Perijove below a cell, since these cannot be renamed:", err)
	}
	if err := w.runtime.RenameFunc(reflect.ValueOf((*execution).initialize).Pointer(), "runtime.doInit1"); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: stack traces will show functions of Perijove below a package's initialization, since these cannot be renamed:", err)
	}
	w.hookStdin()
	w.hookOutput()
	streams.Hook(w.runtime)
	if w.goroutines, err = goruntime.NewGoroutines(w.runtime, preempt.CurrentG()); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: blocked cells cannot be distinguished from running cells:", err)
	}
	if err := w.signals.Find(w.runtime); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: deadlocks of cells that use signals cannot be detected:", err)
	}
	preemptErr = preempt.Install(w.runtime, module, w.diverter)
}

// goexit replaces runtime.Goexit, which a finalizer may call.
func goexit() {
	self.finalizerLoops.Restart()
	origGoexit()
}

// osExit replaces os.Exit: it ends the cell instead of the process.
func osExit(code int) {
	if self == nil || self.conn == nil {
		origExit(code)
	}
	if x := self.cell.Load(); x != nil {
		x.exit(code)
	}
	self.endGoroutine()
}
