package worker

import (
	"errors"
	"fmt"

	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
)

// initialize initializes the packages that were loaded for a cell, in the cell's goroutine. If the initialization of one does
// not return, x.initializing still holds that package, and noteUninitialized reports it.
//
//go:noinline
func (x *execution) initialize(w *worker, list []*link.PackageInit) {
	for _, p := range list {
		p.Begin()
		x.initializing.Store(p)
		for _, f := range p.Funcs {
			f()
		}
		if p.Done() {
			w.steps.noteInitialized(p)
		}
	}
	x.initializing.Store(nil)
}

// noteUninitialized adds to the outcome of a cell the package in whose initialization it has ended, if any, and the packages
// that cannot be used now.
func (w *worker) noteUninitialized(x *execution, o *control.Outcome) {
	if p := x.initializing.Load(); p != nil && p.Fail() {
		o.Init = &control.Init{Package: p.Path, At: initFrame(p, o)}
	}
	if w.linker != nil {
		o.Uninitialized = w.linker.Uninitialized()
	}
}

// initFrame returns the innermost call in package p at the end of its failed initialization, or nil.
func initFrame(p *link.PackageInit, o *control.Outcome) *control.Frame {
	list := o.Frames
	switch {
	case o.Stuck != nil:
		list = o.Stuck.Frames
	case o.How == control.Deadlocked && len(o.Goroutines) > 0:
		list = o.Goroutines[0].Frames
	}
	for i := range list {
		if p.Owns(list[i].Func) {
			return &list[i]
		}
	}
	return nil
}

// initializeInChild initializes a package that the parent has initialized. It returns an error if the initialization
// panics.
func (w *worker) initializeInChild(path string) (err error) {
	p := w.linker.PackageInit(path)
	if p == nil {
		return nil
	}
	done := make(chan error)
	go func() {
		failed := errors.New("the initialization called runtime.Goexit")
		defer func() {
			if v := recover(); v != nil {
				failed = fmt.Errorf("the initialization panicked: %s", cellruntime.PanicText(v))
			}
			done <- failed
		}()
		p.Begin()
		for _, f := range p.Funcs {
			f()
		}
		p.Done()
		failed = nil
	}()
	if err := <-done; err != nil {
		p.Fail()
		return fmt.Errorf("package %s, which the parent has initialized, cannot be initialized in a child process: %w", path, err)
	}
	return nil
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
		w.steps.add(step)
	}
	return out
}

// apply reads the importcfg of a step and reloads its packages. renewed reports whether these packages got new types.
func (w *worker) apply(step loadStep) (renewed bool, err error) {
	if step.Importcfg != "" {
		err = w.archives.use(step.Importcfg)
	}
	if err == nil && len(step.Packages) > 0 {
		return w.linker.Reload(step.Packages, step.Renew)
	}
	return false, err
}
