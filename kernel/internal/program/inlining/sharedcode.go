package inlining

import (
	"fmt"
	"os"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// SharedCode returns the name of a function of an object that later units may use instead of an identical copy. It is
// an instance of generic code, or a method of a type of another package. SharedCode ignores functions without a call
// that the compiler could inline, and functions that the worker process has, since the process uses its own copy.
// SharedCode also returns the name of an instance that the object needs but does not contain, if the worker process
// does not have it. It returns "" if there is no such function.
func SharedCode(object string, worker Worker) (name string, err error) {
	b, err := os.ReadFile(object)
	if err != nil {
		return "", fmt.Errorf("inlining: cannot read the compiled cell: %w", err)
	}
	list, err := goobj.ParseArchive(b)
	if err != nil || len(list) != 1 {
		return "", fmt.Errorf("inlining: the compiled cell in %s has %d objects instead of 1 (error: %v)", object, len(list), err)
	}
	defer goobj.Guard(&err)
	w := walk{o: list[0], seen: make([]bool, list[0].NumDef()), worker: worker}
	for i := range w.seen {
		if strings.HasPrefix(w.o.Sym(i).Name(), "main.") {
			w.add(i)
		}
	}
	return w.shared(), nil
}

// A walk visits the symbols of an object that the worker process would load: those that symbols of package main reach.
// An object also has code that package main does not reach, for the types of fields of other packages' types.
type walk struct {
	o     *goobj.Object
	seen  []bool
	queue []int

	worker  Worker
	missing string // an instance without a body that the worker process does not have
}

func (w *walk) add(i int) {
	if i < len(w.seen) && !w.seen[i] {
		w.seen[i] = true
		w.queue = append(w.queue, i)
	}
}

func (w *walk) addRef(r goobj.Ref) {
	i, ok := w.o.Index(r)
	if !ok {
		return
	}
	if i < len(w.seen) {
		w.add(i)
	} else if n := w.o.Sym(i).Name(); isThinInstance(n, w.worker) && !w.worker.InWorker(n) {
		w.missing = n
	}
}

// isThinInstance reports whether a symbol is an instance of a generic function of a thin package.
func isThinInstance(name string, w Worker) bool {
	return symname.IsInstance(name) && !strings.HasPrefix(name, "go:") && !strings.HasPrefix(name, "type:") && w.IsThin(symname.Package(name))
}

func (w *walk) shared() (name string) {
	for len(w.queue) > 0 {
		s := w.o.Sym(w.queue[len(w.queue)-1])
		w.queue = w.queue[:len(w.queue)-1]
		n := s.Name()
		if strings.HasPrefix(n, "type:") && w.worker.InWorker(n) {
			continue // the worker process's descriptor is used
		}
		if symname.IsDictionary(n) && w.worker.IsThin(symname.Package(n)) && !w.worker.InWorker(n) {
			return n // its content follows from bodies that the unit does not know
		}
		if s.Kind().IsText() && isShared(n) {
			if w.worker.InWorker(n) {
				continue // the worker process's code is used, so nothing that this copy refers to
			}
			if w.worker.IsThin(symname.Package(n)) || w.callsFunctions(s) {
				return n
			}
		}
		for _, r := range s.Relocs() {
			w.addRef(r.Sym())
		}
		for _, a := range s.Auxs() {
			w.addRef(a.Sym())
		}
	}
	return w.missing
}

// callsFunctions reports whether a function calls another one directly, other than functions of the runtime that the
// compiler inserts, to which objects refer as builtins or by name.
func (w *walk) callsFunctions(s goobj.Sym) bool {
	for _, r := range s.Relocs() {
		if r.Type() != goobj.RelCall || r.Sym().Pkg == goobj.PkgBuiltin {
			continue
		}
		if i, ok := w.o.Index(r.Sym()); !ok || symname.Package(w.o.Sym(i).Name()) != "runtime" {
			return true
		}
	}
	return false
}

func isShared(function string) bool {
	comparesType := strings.HasPrefix(function, "type:.eq.") || strings.HasPrefix(function, "type:.hash.")
	return !comparesType && (symname.IsInstance(function) || symname.Package(function) != "main")
}
