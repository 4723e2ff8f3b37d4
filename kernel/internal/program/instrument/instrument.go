// Package instrument makes the functions of a unit fit to be interrupted.
//
//   - An interrupt may find a function between two calls, where the compiler has
//     not stored the bits that say which defers are due: a function that defers
//     and can be found so keeps records instead (instrument.go).
//   - The compiler drops what a cycle without an exit stores, since nothing can
//     read it: such a cycle gets a call that is never made (cycles.go).
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

// Names of what is added to a unit.
const (
	neverName = "never" + mangle.Mark // a variable that is always false
	stubName  = "stub" + mangle.Mark  // a function that the compiler cannot inline
)

const (
	// recordDefers makes the compiler keep records of a function's defers
	// instead of bits: a defer in a loop rules the bits out. The loop is never
	// entered.
	recordDefers = " for " + neverName + " { defer " + stubName + "() }; "
	// observe is a call that is never made, before which all variables must
	// have their values.
	observe = " if " + neverName + " { " + stubName + "() }; "
)

// Declarations declares what insertions refer to. A unit that has any needs it
// once, at the end of a file.
const Declarations = "\nvar " + neverName + " bool\n\n//go:noinline\nfunc " + stubName + "() {}\n"

// A Unit is a type-checked unit.
type Unit struct {
	Fset *token.FileSet
	Info *types.Info
	Pkg  *types.Package
	// HasMethod reports whether the notebook declares a method of this name.
	HasMethod func(name string) bool
}

// An Insertion is text to be added at an offset of a file.
type Insertion struct {
	Offset int
	Text   string
}

// Insertions returns what is to be added to a file with this text, by offset.
func (u *Unit) Insertions(file *ast.File, text string) []Insertion {
	in := instrumenter{unit: u, text: text}
	ast.Inspect(file, in.visit)
	slices.SortStableFunc(in.list, func(a, b Insertion) int { return a.Offset - b.Offset })
	return in.list
}

// An instrumenter finds the places of one file where something is to be added.
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

// insert adds text at a position, and restores the position behind it.
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

// loops reports whether the code of a function may loop: by statements of the
// function, or by what the compiler may put in place of a call: literals in it
// and functions of the notebook. A deferred call runs at the end, by itself.
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
// notebook declares. What an interface holds is told by the method's name.
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
