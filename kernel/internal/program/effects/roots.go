package effects

import (
	"go/ast"
	"go/types"
)

// roots describe the memory that an expression may refer to: the memory of notebook variables
// and of parameters of the current function. Parameters are given by their index; -1 is the receiver.
type roots struct {
	vars   Names
	params map[int]bool
}

func (r roots) isEmpty() bool { return len(r.vars) == 0 && len(r.params) == 0 }

func (r roots) variables() []string { return r.vars.Sorted() }

// add adds o to r and reports whether r has grown.
func (r *roots) add(o roots) bool {
	before := len(r.vars) + len(r.params)
	if r.vars == nil {
		r.vars, r.params = Names{}, map[int]bool{}
	}
	for v := range o.vars {
		r.vars[v] = true
	}
	for p := range o.params {
		r.params[p] = true
	}
	return len(r.vars)+len(r.params) > before
}

// substitute replaces the parameters in r by their roots in args.
func (r roots) substitute(args map[int]roots) roots {
	var out roots
	out.add(roots{vars: r.vars})
	for p := range r.params {
		out.add(args[p])
	}
	return out
}

// valueRoots returns the memory that the value of an expression refers to: none if its type has no references.
func (f *funcAnalysis) valueRoots(x ast.Expr) roots {
	if t := f.info.TypeOf(x); t != nil && !hasReferences(t) {
		return roots{}
	}
	return f.memoryRoots(x)
}

// memoryRoots returns the variables and parameters in whose memory an expression, or the target of its
// pointers, may lie.
func (f *funcAnalysis) memoryRoots(x ast.Expr) roots {
	switch x := x.(type) {
	case *ast.Ident:
		return f.identRoots(x)
	case *ast.ParenExpr:
		return f.memoryRoots(x.X)
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok {
			if _, ok := f.info.Uses[id].(*types.PkgName); ok {
				return roots{}
			}
		}
		return f.memoryRoots(x.X)
	case *ast.IndexExpr:
		return f.memoryRoots(x.X)
	case *ast.SliceExpr:
		return f.memoryRoots(x.X)
	case *ast.StarExpr:
		return f.memoryRoots(x.X)
	case *ast.TypeAssertExpr:
		return f.memoryRoots(x.X)
	case *ast.UnaryExpr:
		return f.memoryRoots(x.X)
	case *ast.CompositeLit:
		return f.elementRoots(x)
	case *ast.FuncLit:
		return f.capturedRoots(x)
	case *ast.CallExpr:
		return f.resultRoots(x)
	}
	return roots{}
}

func (f *funcAnalysis) identRoots(id *ast.Ident) roots {
	obj := f.info.ObjectOf(id)
	if name, ok := f.Variables[obj]; ok {
		return roots{vars: Names{name: true}}
	}
	if r := f.locals[obj]; r != nil {
		return *r
	}
	return roots{}
}

func (f *funcAnalysis) elementRoots(x *ast.CompositeLit) roots {
	var out roots
	for _, e := range x.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		out.add(f.valueRoots(e))
	}
	return out
}

// capturedRoots returns the memory of all variables that a function literal uses.
func (f *funcAnalysis) capturedRoots(x *ast.FuncLit) roots {
	var out roots
	ast.Inspect(x.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			out.add(f.identRoots(id))
		}
		return true
	})
	return out
}

// resultRoots returns the memory that the result of a call may refer to: that of its
// arguments and its receiver, and the variables that a notebook function uses.
func (f *funcAnalysis) resultRoots(x *ast.CallExpr) roots {
	var out roots
	if tv := f.info.Types[x.Fun]; tv.IsType() && len(x.Args) == 1 {
		return f.valueRoots(x.Args[0])
	}
	for _, a := range x.Args {
		out.add(f.valueRoots(a))
	}
	c := f.callee(x)
	if c.recv != nil {
		out.add(f.memoryRoots(c.recv))
	}
	if c.key != "" {
		out.add(roots{vars: f.reachedVariables(c.key)})
	}
	if c.isValue {
		out.add(f.memoryRoots(x.Fun))
	}
	return out
}
