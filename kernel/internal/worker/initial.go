package worker

import (
	"fmt"
	"os"

	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// noteFirst records the initial values of a cell's variables for children. The cell's
// packages must be initialized, since the function that gives initial values may need them.
func (w *worker) noteFirst(in *control.Initial) {
	w.first.note(in)
	if in.Func == "" && len(in.Unknown) == 0 {
		return
	}
	w.steps.add(loadStep{First: &control.Initial{Func: in.Func, Unknown: in.Unknown}})
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

// giveFirstValues gives variables their initial values in a child. It sets variables whose initial value is not known
// to zero, since a variable that was declared again may have an older value.
func (w *worker) giveFirstValues(in *control.Initial) {
	for _, name := range in.Unknown {
		w.linker.Zero(name)
	}
	if f := w.first.take(in.Func); f != nil {
		callGuarded(f)
	}
}

// callGuarded calls a function that gives variables initial values. If it panics, the remaining variables
// keep their values, and callGuarded prints the panic to standard error.
func callGuarded(f func()) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(os.Stderr, "mp: a variable has no initial value in a child process, since its initializer panicked: %s\n", cellruntime.PanicText(v))
		}
	}()
	f()
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
// call. The packages of these variables must be initialized.
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
