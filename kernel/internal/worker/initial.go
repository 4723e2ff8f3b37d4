package worker

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"

	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// firstValues knows how variables begin in child processes.
type firstValues struct {
	mu       sync.Mutex
	known    map[string]bool   // variables that begin as they did in the worker
	altered  map[string]bool   // those that cells change
	funcs    map[string]func() // in a child: what gives first values
	recorded uintptr           // up to where loaded variables were looked at for errors
}

// of tells whether a child has the first value of a variable, and whether the
// notebook may have another.
func (f *firstValues) of(name string) (known, altered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known[name], f.altered[name]
}

func (f *firstValues) add(name string, fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.funcs == nil {
		f.funcs = map[string]func(){}
	}
	f.funcs[name] = fn
}

func (f *firstValues) take(name string) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn := f.funcs[name]
	delete(f.funcs, name)
	return fn
}

func (f *firstValues) note(in *control.Initial) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		f.known = map[string]bool{}
	}
	for _, name := range in.Unknown {
		delete(f.known, name)
	}
	for _, name := range in.Known {
		f.known[name] = true
	}
	f.altered = map[string]bool{}
	for _, name := range in.Altered {
		f.altered[name] = true
	}
}

// noteFirst keeps for children how a cell's variables begin there. The cell's
// packages have been initialized: what gives first values may need them.
func (w *worker) noteFirst(in *control.Initial) {
	w.first.note(in)
	if in.Func == "" && len(in.Unknown) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addStep(loadStep{First: &control.Initial{Func: in.Func, Unknown: in.Unknown}})
}

// initializeOwn runs a cell's own initialization. Where that fails, no child
// has the variables.
func (w *worker) initializeOwn(inits []func(), in *control.Initial) {
	all := append(in.Known[:len(in.Known):len(in.Known)], in.Unknown...)
	w.noteFirst(&control.Initial{Unknown: all, Altered: in.Altered})
	for _, f := range inits {
		f()
	}
	w.noteFirst(in)
	w.recordLoaded()
	w.recordKnown(in.Known)
}

// giveFirstValues gives variables their first values, in a child. A variable
// that was redeclared may have an older one.
func (w *worker) giveFirstValues(in *control.Initial) {
	for _, name := range in.Unknown {
		w.linker.Zero(name)
	}
	if f := w.first.take(in.Func); f != nil {
		callGuarded(f)
	}
}

// callGuarded calls what gives variables first values. A panic leaves those that
// follow as they are; the worker has seen the same panic, or another value.
func callGuarded(f func()) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(os.Stderr, "mp: a variable has no first value in a child process, since its initializer panicked: %s\n", cellruntime.PanicText(v))
		}
	}()
	f()
}

// Record notes the error that a variable, to which v points, was initialized
// with: it is the same one in child processes. Generated code calls it.
func Record(v any) {
	p := reflect.ValueOf(v)
	mphost.RecordVariables(mphost.Range{Start: p.Pointer(), End: p.Pointer() + p.Type().Elem().Size()})
}

// recordKnown is Record for variables by name.
func (w *worker) recordKnown(names []string) {
	for _, name := range names {
		if addr, size, ok := w.linker.Variable(name); ok {
			mphost.RecordVariables(mphost.Range{Start: addr, End: addr + size})
		}
	}
}

// recordLoaded notes the errors in variables that were loaded since the last
// call: those of packages have been initialized.
func (w *worker) recordLoaded() {
	_, variables := w.linker.Ranges()
	w.first.mu.Lock()
	from := max(w.first.recorded, variables[0])
	w.first.recorded = variables[1]
	w.first.mu.Unlock()
	if from < variables[1] {
		mphost.RecordVariables(mphost.Range{Start: from, End: variables[1]})
	}
}

// notices are those that the running cell has shown.
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
