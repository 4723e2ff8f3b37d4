// Package inlining finds out whether a unit's code becomes slower if the compiler does not inline functions.
//
// For a small unit, the compiler takes a third of its time to read the bodies of functions that it could inline. Code
// that runs once gains nothing from inlining. So a unit whose calls all run once is compiled without inlining. An
// exception is a unit that defines code that a later unit uses: an instance of generic code that the worker process
// does not have, or a method's wrapper.
package inlining

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// A Unit is a checked unit.
type Unit struct {
	Files []*ast.File
	Info  *types.Info // the maps Types, Defs, Uses, Selections and Instances must be set
	// RunsOnce reports whether the unit runs a function only once, when the unit is loaded. Any other function may be
	// called often.
	RunsOnce func(*ast.FuncDecl) bool
	Worker   Worker // code of the worker process; nil if the process has no generic code
}

// Matters reports whether a unit must be compiled with inlining. It returns true if the unit
//   - calls a function in a loop, in a function literal, or in a function that may be called
//     often. Conversions and calls of built-in functions do not count,
//   - has a goto, or a function literal in a function with a loop,
//   - ranges over a function, unless the worker process's code makes it; see isWorkersIterator,
//   - uses an instance of generic code that the worker process does not have, or a type that is composed of one,
//   - declares a method, or uses a struct type that embeds a type,
//   - uses a method as a value or an expression.
func (u *Unit) Matters() bool {
	f := finder{info: u.Info, worker: WorkerOf(u.Worker)}
	for _, file := range u.Files {
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			switch {
			case !ok:
				f.walk(d, false)
			case fn.Body != nil:
				f.function(fn, !u.RunsOnce(fn))
			}
			if f.found {
				return true
			}
		}
	}
	return false
}

type finder struct {
	info   *types.Info
	worker Worker
	found  bool
}

func (f *finder) function(fn *ast.FuncDecl, often bool) {
	if fn.Recv != nil {
		f.found = true
		return
	}
	f.walk(fn.Body, often)
	// A literal shares variables with the function around it. If the call of the literal is not inlined, these
	// variables are in memory.
	f.found = f.found || hasLoop(fn.Body) && hasLiteral(fn.Body)
}

// walk looks for code that needs inlining in n. often reports that n may run more than once.
func (f *finder) walk(n ast.Node, often bool) {
	if n == nil || f.found {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if f.found {
			return false
		}
		if x, ok := n.(ast.Expr); ok && f.generatesCode(f.typeOf(x)) {
			f.found = true
			return false
		}
		return f.visit(n, often)
	})
}

// typeOf returns the type of an expression. That of the name of a generic function is the type of its instance.
func (f *finder) typeOf(x ast.Expr) types.Type {
	id, ok := x.(*ast.Ident)
	if sel, isSelector := x.(*ast.SelectorExpr); isSelector {
		id, ok = sel.Sel, true
	}
	if in, isInstance := f.info.Instances[id]; ok && isInstance {
		return in.Type
	}
	return f.info.TypeOf(x)
}

// visit examines one node and reports whether the walk must visit the children of the node.
func (f *finder) visit(n ast.Node, often bool) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		f.call(n, often)
		return false
	case *ast.ForStmt:
		f.walk(n.Init, often)
		f.walk(n.Cond, true)
		f.walk(n.Post, true)
		f.walk(n.Body, true)
		return false
	case *ast.RangeStmt:
		f.rangeStmt(n, often)
		return false
	case *ast.FuncLit:
		f.walk(n.Type, often)
		f.walk(n.Body, true)
		f.found = f.found || hasLoop(n.Body)
		return false
	case *ast.BranchStmt:
		f.found = n.Tok == token.GOTO
	case *ast.SelectorExpr:
		s := f.info.Selections[n]
		f.found = s != nil && s.Kind() != types.FieldVal
	case *ast.Ident:
		if in, ok := f.info.Instances[n]; ok {
			f.found = !f.hasInstance(f.info.Uses[n], in.TypeArgs)
		}
	case *ast.TypeSpec:
		obj := f.info.Defs[n.Name]
		f.found = obj == nil || embeds(obj.Type().Underlying())
	}
	return !f.found
}

func (f *finder) call(n *ast.CallExpr, often bool) {
	fun := ast.Unparen(n.Fun)
	if tv := f.info.Types[fun]; often && !tv.IsType() && !tv.IsBuiltin() {
		f.found = true
		return
	}
	if sel, ok := fun.(*ast.SelectorExpr); ok {
		if s := f.info.Selections[sel]; s != nil && s.Kind() == types.MethodVal {
			f.found = f.found || f.ofInstance(s.Obj())
			f.walk(sel.X, often) // a call, not a method value
			fun = nil
		}
	}
	if fun != nil {
		f.walk(fun, often)
	}
	for _, arg := range n.Args {
		f.walk(arg, often)
	}
	f.found = f.found || f.generatesCode(f.info.TypeOf(n))
}

func (f *finder) rangeStmt(n *ast.RangeStmt, often bool) {
	if t := f.info.TypeOf(n.X); t == nil || isFunc(t) && !f.isWorkersIterator(n.X) {
		f.found = true
		return
	}
	f.walk(n.X, often)
	f.walk(n.Key, true)
	f.walk(n.Value, true)
	f.walk(n.Body, true)
}

func isFunc(t types.Type) bool {
	_, ok := t.Underlying().(*types.Signature)
	return ok
}

func hasLoop(body *ast.BlockStmt) bool {
	return contains(body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return true
		}
		return false
	})
}

func hasLiteral(body *ast.BlockStmt) bool {
	return contains(body, func(n ast.Node) bool { _, ok := n.(*ast.FuncLit); return ok })
}

func contains(body *ast.BlockStmt, is func(ast.Node) bool) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		found = found || n != nil && is(n)
		return !found
	})
	return found
}

// generatesCode reports whether the compiler may generate functions for t in every unit that uses t: t is
// composed of an instance of a generic type, or of a struct type without a name that embeds a type. The
// methods of other types are compiled with their packages. An instance that the worker process has does not count, since the worker process
// keeps its own code.
func (f *finder) generatesCode(t types.Type) bool {
	switch t := t.(type) {
	case nil:
		return false
	case *types.Named:
		return t.TypeArgs().Len() > 0 && !f.hasInstance(t.Obj(), t.TypeArgs())
	case *types.Struct:
		if embeds(t) {
			return true
		}
	}
	found := false
	typetext.EachPart(t, func(part types.Type) { found = found || f.generatesCode(part) })
	return found
}

// embeds reports whether a struct type embeds a type, whose methods are then its methods.
func embeds(t types.Type) bool {
	s, ok := t.(*types.Struct)
	if !ok {
		return false
	}
	for v := range s.Fields() {
		if v.Embedded() {
			return true
		}
	}
	return false
}
