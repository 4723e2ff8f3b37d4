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

// firstValues describes the first values of variables in child processes.
type firstValues struct {
	mu       sync.Mutex
	known    map[string]bool   // variables with the same first value as in the worker
	altered  map[string]bool   // variables that cells change after their first value
	funcs    map[string]func() // in a child: functions that give first values, by symbol
	recorded uintptr           // end of the loaded variables that recordLoaded has handled
}

// of reports whether a variable has the same first value in a child, and whether the
// notebook may have changed it since.
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

// noteFirst records the first values of a cell's variables for children. The cell's
// packages must be initialized, since the function that gives first values may need them.
func (w *worker) noteFirst(in *control.Initial) {
	w.first.note(in)
	if in.Func == "" && len(in.Unknown) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addStep(loadStep{First: &control.Initial{Func: in.Func, Unknown: in.Unknown}})
}

// initializeOwn runs a cell's initialization. If it fails, the variables are zero in
// children.
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

// giveFirstValues gives variables their first values in a child. It sets unknown ones to zero, since a
// variable that was declared again may have an older value.
func (w *worker) giveFirstValues(in *control.Initial) {
	for _, name := range in.Unknown {
		w.linker.Zero(name)
	}
	if f := w.first.take(in.Func); f != nil {
		callGuarded(f)
	}
}

// callGuarded calls a function that gives variables first values. If it panics, the remaining variables
// keep their values, and callGuarded prints the panic to standard error.
func callGuarded(f func()) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(os.Stderr, "mp: a variable has no initial value in a child process, since its initializer panicked: %s\n", cellruntime.PanicText(v))
		}
	}()
	f()
}

// Record records the errors in the variable that v points to, which has its first value: they are the same errors in
// all processes, see mphost.RecordVariables. Generated code calls it by its linker name.
func Record(v any) {
	p := reflect.ValueOf(v)
	mphost.RecordVariables(mphost.Range{Start: p.Pointer(), End: p.Pointer() + p.Type().Elem().Size()})
}

// recordKnown does the same as Record for variables with these link symbols.
func (w *worker) recordKnown(names []string) {
	for _, name := range names {
		if addr, size, ok := w.linker.Variable(name); ok {
			mphost.RecordVariables(mphost.Range{Start: addr, End: addr + size})
		}
	}
}

// recordLoaded records the errors in variables that were loaded since the last
// call. Packages among them must be initialized.
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
