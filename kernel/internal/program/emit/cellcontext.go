package emit

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A cell can use the name ctx, unless the notebook declares it: it is the context of
// the cell that the goroutine belongs to. Generated code replaces ctx by a call of a function of the worker process. So
// a notebook function that uses ctx gets the context of the cell that calls it.

// context returns the expression for the cell's context.
func (f *File) context() string {
	f.e.helpers[symtab.ContextFunc] = true
	return symtab.ContextFunc + "()"
}

// contextHelper declares the function that returns the context.
func (e *Emitter) contextHelper(f *File) {
	if e.helpers[symtab.ContextFunc] {
		f.BlankImports = append(f.BlankImports, "unsafe")
		fmt.Fprintf(&f.body, "\n//go:linkname %s %s.Context\nfunc %s() %s.Context\n", symtab.ContextFunc, e.in.Runtime, symtab.ContextFunc, f.useOwn("context"))
	}
}

// derives reports whether a statement declares ctx and the notebook already has a variable ctx
// that holds a context, as when ctx, cancel := context.WithCancel(ctx) runs again. In this case, ctx on the right side
// still means the context of the cell.
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
