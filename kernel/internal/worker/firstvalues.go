package worker

import (
	"sync"

	"github.com/perijove/perijove/kernel/internal/control"
)

// firstValues describes the initial values of variables in child processes.
type firstValues struct {
	mu       sync.Mutex
	known    map[string]bool   // variables with the same initial value as in the worker process
	altered  map[string]bool   // variables that cells change after they get their initial values
	funcs    map[string]func() // in a child: functions that give initial values, by symbol
	recorded uintptr           // address of the end of the loaded variables that recordLoaded has handled
}

// of reports whether a variable has the same initial value in a child, and whether the
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
