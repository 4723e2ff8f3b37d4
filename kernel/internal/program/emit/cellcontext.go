package emit

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A cell may say ctx, unless the notebook means something else by it: the
// context of the cell that the goroutine belongs to. It is written as a call of
// a function of the worker, so that a function that says ctx gets the context of
// whichever cell it is called for.

// context returns what to write for the cell's context.
func (f *File) context() string {
	f.e.helpers[symtab.ContextFunc] = true
	return symtab.ContextFunc + "()"
}

// contextHelper declares the function that gives the context.
func (e *Emitter) contextHelper(f *File) {
	if e.helpers[symtab.ContextFunc] {
		f.BlankImports = append(f.BlankImports, "unsafe")
		fmt.Fprintf(&f.body, "\n//go:linkname %s %s.Context\nfunc %s() %s.Context\n", symtab.ContextFunc, e.in.Runtime, symtab.ContextFunc, f.useOwn("context"))
	}
}

// derives reports whether a statement, as ctx, cancel := context.WithCancel(ctx)
// does, makes a context out of the cell's and gives it the same name. That
// must mean the same when the cell runs again.
func (e *Emitter) derives(st *Stmt) bool {
	if st.Define < 0 {
		return false
	}
	defines := false
	for i, n := range st.Names {
		defines = defines || n.Name == symtab.ContextName && st.New[i]
	}
	return defines && e.in.KeepsContext
}
