package program

import (
	"go/ast"
	"go/types"
)

// roots are what an expression may refer to: variables of the notebook and
// parameters of the function at hand, -1 for its receiver.
type roots struct {
	vars   names
	params map[int]bool
}

func (r roots) empty() bool { return len(r.vars) == 0 && len(r.params) == 0 }

func (r roots) variables() []string { return r.vars.sorted() }

// with adds o to r and reports whether that was news.
func (r *roots) with(o roots) bool {
	before := len(r.vars) + len(r.params)
	if r.vars == nil {
		r.vars, r.params = names{}, map[int]bool{}
	}
	for v := range o.vars {
		r.vars[v] = true
	}
	for p := range o.params {
		r.params[p] = true
	}
	return len(r.vars)+len(r.params) > before
}

// within puts what the parameters refer to in their place.
func (r roots) within(args map[int]roots) roots {
	var out roots
	out.with(roots{vars: r.vars})
	for p := range r.params {
		out.with(args[p])
	}
	return out
}

// of returns what the value of an expression refers to.
func (f *funcScan) of(x ast.Expr) roots {
	if t := f.info.TypeOf(x); t != nil && !refers(t) {
		return roots{}
	}
	return f.place(x)
}

// place returns what the memory behind an expression belongs to.
func (f *funcScan) place(x ast.Expr) roots {
	switch x := x.(type) {
	case *ast.Ident:
		return f.ident(x)
	case *ast.ParenExpr:
		return f.place(x.X)
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok {
			if _, ok := f.info.Uses[id].(*types.PkgName); ok {
				return roots{}
			}
		}
		return f.place(x.X)
	case *ast.IndexExpr:
		return f.place(x.X)
	case *ast.SliceExpr:
		return f.place(x.X)
	case *ast.StarExpr:
		return f.place(x.X)
	case *ast.TypeAssertExpr:
		return f.place(x.X)
	case *ast.UnaryExpr:
		return f.place(x.X)
	case *ast.CompositeLit:
		return f.elements(x)
	case *ast.FuncLit:
		return f.captured(x)
	case *ast.CallExpr:
		return f.result(x)
	}
	return roots{}
}

func (f *funcScan) ident(id *ast.Ident) roots {
	obj := f.info.ObjectOf(id)
	if name, ok := f.variables[obj]; ok {
		return roots{vars: names{name: true}}
	}
	if r := f.locals[obj]; r != nil {
		return *r
	}
	return roots{}
}

func (f *funcScan) elements(x *ast.CompositeLit) roots {
	var out roots
	for _, e := range x.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		out.with(f.of(e))
	}
	return out
}

// captured returns what a function literal refers to.
func (f *funcScan) captured(x *ast.FuncLit) roots {
	var out roots
	ast.Inspect(x.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			out.with(f.ident(id))
		}
		return true
	})
	return out
}

// result returns what the value of a call may refer to: the arguments, and
// the variables that a notebook function names.
func (f *funcScan) result(x *ast.CallExpr) roots {
	var out roots
	if tv := f.info.Types[x.Fun]; tv.IsType() && len(x.Args) == 1 {
		return f.of(x.Args[0])
	}
	for _, a := range x.Args {
		out.with(f.of(a))
	}
	c := f.callee(x)
	if c.recv != nil {
		out.with(f.place(c.recv))
	}
	if c.key != "" {
		out.with(roots{vars: f.reached(c.key)})
	}
	if c.value {
		out.with(f.place(x.Fun))
	}
	return out
}
