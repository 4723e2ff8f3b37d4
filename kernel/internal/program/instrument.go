package program

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// Names of what instrument adds to a unit.
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

// instrument makes the functions of a unit fit to be interrupted.
//
//   - An interrupt may find a function between two calls, where the compiler has
//     not stored the bits that say which defers are due: a function that defers
//     and can be found so keeps records.
//   - The compiler drops what a cycle without a way out stores, since nothing
//     can read it: such a cycle gets a call that is never made.
//
// r is what the check of the same files gave. Files that have been written anew
// since, as recompiled functions have got other names, are checked again.
func (b *builder) instrument(e *emitter, r *result) error {
	if !r.describes(e) {
		var err error
		if r, err = b.check(e); err != nil {
			return err
		}
		if len(r.faults) > 0 {
			return faultErrors(r.faults)
		}
	}
	added := false
	for i, af := range r.files {
		in := instrumenter{b: b, r: r, file: e.order[i], text: r.texts[i]}
		ast.Inspect(af, in.visit)
		sort.Slice(in.file.inserts, func(i, j int) bool { return in.file.inserts[i].start < in.file.inserts[j].start })
		added = added || len(in.file.inserts) > 0
	}
	if added {
		f := e.order[0]
		end := len(f.plainText())
		f.inserts = append(f.inserts, edit{end, end, fmt.Sprintf("\nvar %s bool\n\n//go:noinline\nfunc %s() {}\n", neverName, stubName)})
	}
	return nil
}

// describes reports whether r is about the files of an emitter as they are, but
// for the one that children alone run.
func (r *result) describes(e *emitter) bool {
	if len(r.texts) != len(e.order) && (len(r.texts) != len(e.order)-1 || len(e.b.firsts) == 0) {
		return false
	}
	for i, f := range e.order[:len(r.texts)] {
		if f.plainText() != r.texts[i] {
			return false
		}
	}
	return true
}

// An instrumenter finds the places of one file where something is to be added.
type instrumenter struct {
	b    *builder
	r    *result
	file *file
	text string // of file, without what is added
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
	for _, pos := range endlessCycles(body, in.r.info) {
		in.insert(pos, observe)
	}
	return true
}

// insert adds text at a position, and restores the position behind it.
func (in *instrumenter) insert(pos token.Pos, text string) {
	off := in.r.fset.PositionFor(pos, false).Offset
	at := in.r.fset.Position(pos)
	if !strings.HasPrefix(in.text[off:], "\n") {
		text += fmt.Sprintf("/*line :%d:%d*/", at.Line, at.Column)
	}
	in.file.inserts = append(in.file.inserts, edit{off, off, text})
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
	fn, ok := calledObject(in.r.info, call).(*types.Func)
	if !ok {
		return false
	}
	if recv := fn.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
		return in.b.hasMethod(fn.Name())
	}
	return fn.Pkg() == in.r.pkg
}

// calledObject returns the object that a call names, or nil.
func calledObject(info *types.Info, call *ast.CallExpr) types.Object {
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = ast.Unparen(x.X)
	case *ast.IndexListExpr:
		fun = ast.Unparen(x.X)
	}
	switch x := fun.(type) {
	case *ast.Ident:
		return info.Uses[x]
	case *ast.SelectorExpr:
		return info.Uses[x.Sel]
	}
	return nil
}

// hasMethod reports whether the notebook declares a method of this name.
func (b *builder) hasMethod(name string) bool {
	for _, methods := range b.p.methods {
		for _, m := range methods {
			if m.ename == name {
				return true
			}
		}
	}
	for _, s := range b.decls {
		if s.kind == cell.Func && s.recv != "" && s.ename == name {
			return true
		}
	}
	return false
}
