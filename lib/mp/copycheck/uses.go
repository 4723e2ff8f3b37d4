package copycheck

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A use lists the package variables that a function reads and writes, and the functions
// that it calls.
type use struct {
	reads  map[*types.Var]bool
	writes map[*types.Var][]token.Pos
	calls  map[*types.Func]bool
}

// useOf returns the use of a body, or only of the part after the position after, if
// that is valid.
func (c *checker) useOf(body ast.Node, after token.Pos) *use {
	return c.useBetween(body, max(after, body.Pos()), body.End())
}

func (c *checker) useBetween(body ast.Node, from, to token.Pos) *use {
	u := &use{map[*types.Var]bool{}, map[*types.Var][]token.Pos{}, map[*types.Func]bool{}}
	written := map[*ast.Ident]bool{} // by a plain assignment, which does not read the variable
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil || n.End() <= from || n.Pos() >= to {
			return false
		}
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				c.write(u, left)
				if id, ok := ast.Unparen(left).(*ast.Ident); ok && n.Tok == token.ASSIGN {
					written[id] = true
				}
			}
		case *ast.IncDecStmt:
			c.write(u, n.X)
		case *ast.Ident:
			switch o := c.pass.TypesInfo.Uses[n].(type) {
			case *types.Var:
				if c.isPackageVar(o) && !written[n] {
					u.reads[o] = true
				}
			case *types.Func:
				u.calls[o.Origin()] = true
			}
		}
		return true
	})
	return u
}

// write records an assignment to a package variable, or to a part of one.
func (c *checker) write(u *use, e ast.Expr) {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			if v, ok := c.pass.TypesInfo.Uses[x].(*types.Var); ok && c.isPackageVar(v) {
				u.writes[v] = append(u.writes[v], x.Pos())
			}
			return
		default:
			return
		}
	}
}

func (c *checker) isPackageVar(v *types.Var) bool {
	return v.Pkg() == c.pass.Pkg && v.Parent() == c.pass.Pkg.Scope()
}

// reachable returns f and the functions of this package that it calls by name, directly
// or indirectly.
func (c *checker) reachable(f *types.Func) map[*types.Func]bool {
	seen := map[*types.Func]bool{}
	for todo := []*types.Func{f}; len(todo) > 0; todo = todo[1:] {
		if f := todo[0]; !seen[f] && c.uses[f] != nil {
			seen[f] = true
			for g := range c.uses[f].calls {
				todo = append(todo, g)
			}
		}
	}
	return seen
}

func (c *checker) readsOf(functions map[*types.Func]bool) map[*types.Var]bool {
	reads := map[*types.Var]bool{}
	for f := range functions {
		for v := range c.uses[f].reads {
			reads[v] = true
		}
	}
	return reads
}
