package program

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// A cell may say ctx, unless the notebook means something else by it: the
// context of the cell that the goroutine belongs to. It is written as a call of
// a function of the worker, so that a function that says ctx gets the context of
// whichever cell it is called for.
const (
	contextIdent = "ctx"
	contextName  = contextIdent + mangle.Mark
)

var contextDescription = Description{
	Text: "var ctx context.Context",
	Doc: "ctx is the context of the cell: an interrupt cancels it, and the cell has a moment to end by itself.\n" +
		"Goroutines that a cell starts keep its ctx when it has ended. A declaration of that name in the notebook wins.",
}

// context returns what to write for the cell's context.
func (f *file) context() string {
	f.e.helpers[contextName] = true
	return contextName + "()"
}

// contextHelper declares the function that gives the context.
func (e *emitter) contextHelper(f *file) {
	if e.helpers[contextName] {
		f.effects = append(f.effects, "unsafe")
		fmt.Fprintf(&f.body, "\n//go:linkname %s %s.Context\nfunc %s() %s.Context\n", contextName, e.b.p.cfg.RuntimePackage, contextName, f.useOwn("context"))
	}
}

// derives reports whether a statement, as ctx, cancel := context.WithCancel(ctx)
// does, makes a context out of the cell's and gives it the same name. That
// must mean the same when the cell runs again.
func (e *emitter) derives(st *stmt) bool {
	if st.Define < 0 {
		return false
	}
	defines := false
	for i, n := range st.Names {
		defines = defines || n.Name == contextIdent && st.New[i]
	}
	old := e.b.t.Names[contextIdent]
	return defines && old != nil && old.Kind == cell.Var && old.TypeString == "context.Context"
}
