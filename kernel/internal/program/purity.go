package program

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// A purity says what a piece of code depends on, if it has no effects: then
// it gives the same value in another process where those variables and
// functions are the same.
type purity struct {
	effect bool  // it has effects, or that is not known
	reads  names // notebook variables
	calls  names // notebook functions and methods
}

// purityOf looks at code. The bodies of function literals count if they may
// be called: if there is a call of more than a conversion.
func (sc *scan) purityOf(n ast.Node) purity {
	p := &purityScan{scan: sc, f: &funcScan{scan: sc, locals: map[types.Object]*roots{}}, out: purity{reads: names{}, calls: names{}}}
	ast.Inspect(n, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && !p.f.callee(c).free {
			p.calls = true
		}
		_, literal := n.(*ast.FuncLit)
		return !literal
	})
	ast.Inspect(n, p.node)
	return p.out
}

type purityScan struct {
	*scan
	f     *funcScan
	calls bool
	out   purity
}

func (p *purityScan) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		return p.calls
	case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt:
		p.out.effect = true
	case *ast.UnaryExpr:
		p.out.effect = p.out.effect || n.Op == token.ARROW
	case *ast.RangeStmt:
		if t := p.info.TypeOf(n.X); t == nil || isChan(t) {
			p.out.effect = true
		}
	case *ast.AssignStmt:
		for _, x := range n.Lhs {
			p.target(x)
		}
	case *ast.IncDecStmt:
		p.target(n.X)
	case *ast.CallExpr:
		p.call(n)
	case *ast.SelectorExpr:
		return p.selector(n)
	case *ast.Ident:
		p.ident(n)
	}
	return !p.out.effect
}

func isChan(t types.Type) bool {
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// target notes an assignment: to a local variable, or what one refers to, it
// is none that others see; what locals refer to is the summary's business.
func (p *purityScan) target(x ast.Expr) {
	base := baseOf(ast.Unparen(x))
	if base == nil {
		return
	}
	switch obj := p.info.ObjectOf(base).(type) {
	case *types.PkgName:
		p.out.effect = true
	case *types.Var:
		p.out.effect = p.out.effect || p.variables[obj] != "" || obj.Parent() == p.pkg.Scope()
	}
}

func (p *purityScan) ident(id *ast.Ident) {
	switch obj := p.info.Uses[id].(type) {
	case *types.Var:
		if name, ok := p.variables[obj]; ok {
			p.out.reads.add(name)
		} else if obj.Parent() == p.pkg.Scope() {
			p.out.effect = true
		}
	case *types.Func:
		if key, ok := p.functions[obj]; ok {
			p.out.calls.add(key)
		} else if obj.Signature().Recv() == nil && (obj.Pkg() == p.pkg || !isPure(obj)) {
			p.out.effect = true // a helper of generated code, or dot-imported
		}
	}
}

// selector handles what another package has, and methods.
func (p *purityScan) selector(x *ast.SelectorExpr) bool {
	if id, ok := x.X.(*ast.Ident); ok {
		if _, ok := p.info.Uses[id].(*types.PkgName); ok {
			if fn, ok := p.info.Uses[x.Sel].(*types.Func); ok && !isPure(fn) {
				p.out.effect = true
			}
			return false
		}
	}
	sel := p.info.Selections[x]
	if sel == nil {
		return true
	}
	if fn, ok := sel.Obj().(*types.Func); ok {
		p.method(fn)
	}
	ast.Inspect(x.X, p.node)
	return false
}

func (p *purityScan) method(fn *types.Func) {
	if key := p.f.methodKey(fn); key != "" {
		p.out.calls.add(key)
		return
	}
	recv := fn.Signature().Recv().Type()
	if types.IsInterface(recv) && (fn.Pkg() == nil || fn.Pkg() == p.pkg) {
		for key := range p.f.methodsNamed(fn.Name()) {
			p.out.calls.add(key)
		}
		return
	}
	p.out.effect = p.out.effect || !isPure(fn)
}

// call looks at built-in functions, at values that are called, and at what is
// handed to another package, which may call its methods.
func (p *purityScan) call(x *ast.CallExpr) {
	c := p.f.callee(x)
	switch {
	case c.name == "print" || c.name == "println" || c.name == "close":
		p.out.effect = true
	case c.value:
		base := baseOf(ast.Unparen(x.Fun))
		if base != nil && p.variables[p.info.ObjectOf(base)] != "" {
			p.out.effect = true
		}
	case c.fn != nil && c.key == "" && c.fn.Pkg() != p.pkg:
		for _, a := range x.Args {
			p.methodsOf(p.info.TypeOf(a))
		}
	}
}

// methodsOf counts the methods of a notebook type as called.
func (p *purityScan) methodsOf(t types.Type) {
	before := len(p.f.sum.calls)
	p.f.methodsOf(types.Unalias(t))
	for _, c := range p.f.sum.calls[before:] {
		p.out.calls.add(c.key)
	}
}

// isRepeatable reports whether code gives the same value in a child: whether
// it has no effects, with all that it calls, and reads nothing that is another
// there. own are variables of the cell that are the same so far.
func (b *builder) isRepeatable(p purity, own, altered names) bool {
	seen := names{}
	for todo := []purity{p}; len(todo) > 0; todo = todo[1:] {
		if todo[0].effect {
			return false
		}
		for name := range todo[0].reads {
			if !own[name] && (b.vars[name] != nil || !b.sameInChildren(name)) || altered[name] {
				return false
			}
		}
		for key := range todo[0].calls {
			if seen[key] {
				continue
			}
			seen.add(key)
			s := b.lookup(key)
			if s == nil || s.kind != cell.Func || s.purity == nil || len(s.does.writes) > 0 || s.does.process {
				return false
			}
			todo = append(todo, *s.purity)
		}
	}
	return true
}

// sameInChildren reports whether an older variable has the value that it has in
// children: its first one.
func (b *builder) sameInChildren(name string) bool {
	s := b.p.names[name]
	return s != nil && s.kind == cell.Var && s.initial && !b.p.altered[name]
}
