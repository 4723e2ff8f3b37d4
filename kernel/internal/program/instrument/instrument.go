// Package instrument inserts code into the functions of a unit, so that interrupts can stop them.
//
//   - An interrupt may stop a function between two calls. There the compiler may not
//     have stored the bits that say which deferred calls are pending. So a function that defers
//     and may loop is made to keep defer records instead (instrument.go).
//   - The compiler removes stores in a cycle without an exit, since no code
//     reads them. So such a cycle gets a call that is never executed (cycles.go).
package instrument

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// Names of inserted declarations.
const (
	neverName = "never" + mangle.Mark // a variable that is always false
	stubName  = "stub" + mangle.Mark  // a function that the compiler cannot inline
)

const (
	// recordDefers makes the compiler keep records of a function's defers
	// instead of bits, since it cannot use bits for a defer in a loop. The loop is never
	// entered.
	recordDefers = " for " + neverName + " { defer " + stubName + "() }; "
	// observe is a call that is never executed. The compiler must store all
	// variables before it.
	observe = " if " + neverName + " { " + stubName + "() }; "
)

// Declarations declares the variable and the function that insertions use. A unit with insertions must have this text
// once, at the end of a file.
const Declarations = "\nvar " + neverName + " bool\n\n//go:noinline\nfunc " + stubName + "() {}\n"

// A Unit is a type-checked unit.
type Unit struct {
	Fset *token.FileSet
	Info *types.Info
	Pkg  *types.Package
	// HasMethod reports whether the notebook declares a method with this name.
	HasMethod func(name string) bool
}

// An Insertion is a text to insert at a byte offset of a file.
type Insertion struct {
	Offset int
	Text   string
}

// Insertions returns the insertions for a file with this text, sorted by offset.
func (u *Unit) Insertions(file *ast.File, text string) []Insertion {
	in := instrumenter{unit: u, text: text}
	ast.Inspect(file, in.visit)
	slices.SortStableFunc(in.list, func(a, b Insertion) int { return a.Offset - b.Offset })
	return in.list
}

// An instrumenter collects the insertions for one file.
type instrumenter struct {
	unit *Unit
	text string
	list []Insertion
}

func (in *instrumenter) visit(n ast.Node) bool {
	var body *ast.BlockStmt
	switch n := n.(type) {
	case *ast.FuncDecl:
		body = n.Body
	case *ast.FuncLit:
		body = n.Body
	}
	if body == nil {
		return true
	}
	if defers(body) && in.loops(body) {
		in.insert(body.Lbrace+1, recordDefers)
	}
	for _, pos := range endlessCycles(body, in.unit.Info) {
		in.insert(pos, observe)
	}
	return true
}

// insert adds an insertion at a position, with a line directive after it that restores the position.
func (in *instrumenter) insert(pos token.Pos, text string) {
	off := in.unit.Fset.PositionFor(pos, false).Offset
	at := in.unit.Fset.Position(pos)
	if !strings.HasPrefix(in.text[off:], "\n") {
		text += fmt.Sprintf("/*line :%d:%d*/", at.Line, at.Column)
	}
	in.list = append(in.list, Insertion{off, text})
}

// defers reports whether a function has a defer statement that is not in a
// function literal.
func defers(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			found = true
		}
		return !found
	})
	return found
}

// loops reports whether the code of a function may loop: by its statements, or by the code
// of literals in it and of notebook functions, which the compiler may inline. Deferred calls do not
// count: they run when the function ends.
func (in *instrumenter) loops(body *ast.BlockStmt) bool {
	found := false
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.DeferStmt:
			for _, arg := range n.Call.Args {
				ast.Inspect(arg, visit)
			}
			return false
		case *ast.ForStmt, *ast.RangeStmt:
			found = true
		case *ast.BranchStmt:
			found = found || n.Tok == token.GOTO
		case *ast.CallExpr:
			found = found || in.callsNotebook(n)
		}
		return !found
	}
	ast.Inspect(body, visit)
	return found
}

// callsNotebook reports whether a call may be of a function or method that the
// notebook declares. A call through an interface counts if the notebook has a method of that name.
func (in *instrumenter) callsNotebook(call *ast.CallExpr) bool {
	fn, ok := typeutil.Callee(in.unit.Info, call).(*types.Func)
	if !ok {
		return false
	}
	if recv := fn.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
		return in.unit.HasMethod(fn.Name())
	}
	return fn.Pkg() == in.unit.Pkg
}
