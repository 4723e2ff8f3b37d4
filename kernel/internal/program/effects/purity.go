package effects

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A purity says whether code has effects, and on which variables and functions it
// depends. Code without effects gives the same value in another process if
// these variables and functions are the same there.
type purity struct {
	hasEffect bool  // the code has or may have effects
	reads     Names // notebook variables
	calls     Names // notebook functions and methods
}

// Purity analyses code: its effects, and the variables and functions on which its value depends. The bodies of
// function literals count only if the code contains a call other than a conversion or a built-in function, since such
// a call may call the literals.
func (sc *Analysis) Purity(n ast.Node) purity {
	p := &purityAnalysis{Analysis: sc, f: &funcAnalysis{Analysis: sc, locals: map[types.Object]*roots{}}, out: purity{reads: Names{}, calls: Names{}}}
	ast.Inspect(n, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && !p.f.callee(c).isBuiltin {
			p.hasCalls = true
		}
		_, literal := n.(*ast.FuncLit)
		return !literal
	})
	ast.Inspect(n, p.node)
	return p.out
}

type purityAnalysis struct {
	*Analysis
	f        *funcAnalysis
	hasCalls bool
	out      purity
}

func (p *purityAnalysis) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		return p.hasCalls
	case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt:
		p.out.hasEffect = true
	case *ast.UnaryExpr:
		p.out.hasEffect = p.out.hasEffect || n.Op == token.ARROW
	case *ast.RangeStmt:
		if t := p.info.TypeOf(n.X); t == nil || isChan(t) {
			p.out.hasEffect = true
		}
	case *ast.AssignStmt:
		for _, x := range n.Lhs {
			p.assign(x)
		}
	case *ast.IncDecStmt:
		p.assign(n.X)
	case *ast.CallExpr:
		p.call(n)
	case *ast.SelectorExpr:
		return p.selector(n)
	case *ast.Ident:
		p.ident(n)
	}
	return !p.out.hasEffect
}

func isChan(t types.Type) bool {
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// assign records an assignment. An assignment to a package-level variable, or to a part of it, is an effect. An
// assignment to a local variable, or through one, is not: Summary covers the memory that local variables refer to.
func (p *purityAnalysis) assign(x ast.Expr) {
	base := baseIdent(ast.Unparen(x))
	if base == nil {
		return
	}
	switch obj := p.info.ObjectOf(base).(type) {
	case *types.PkgName:
		p.out.hasEffect = true
	case *types.Var:
		p.out.hasEffect = p.out.hasEffect || p.Variables[obj] != "" || obj.Parent() == p.pkg.Scope()
	}
}

func (p *purityAnalysis) ident(id *ast.Ident) {
	switch obj := p.info.Uses[id].(type) {
	case *types.Var:
		if name, ok := p.Variables[obj]; ok {
			p.out.reads.Add(name)
		} else if obj.Parent() == p.pkg.Scope() {
			p.out.hasEffect = true
		}
	case *types.Func:
		if key, ok := p.functions[obj]; ok {
			p.out.calls.Add(key)
		} else if obj.Signature().Recv() == nil && (obj.Pkg() == p.pkg || !IsPure(obj)) {
			p.out.hasEffect = true // a helper of generated code, or a dot-imported name
		}
	}
}

// selector records the use of a name of another package, or of a method. It reports whether the walk must visit the
// parts of x.
func (p *purityAnalysis) selector(x *ast.SelectorExpr) bool {
	if id, ok := x.X.(*ast.Ident); ok {
		if _, ok := p.info.Uses[id].(*types.PkgName); ok {
			if fn, ok := p.info.Uses[x.Sel].(*types.Func); ok && !IsPure(fn) {
				p.out.hasEffect = true
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

func (p *purityAnalysis) method(fn *types.Func) {
	if key := p.f.methodKey(fn); key != "" {
		p.out.calls.Add(key)
		return
	}
	recv := fn.Signature().Recv().Type()
	if types.IsInterface(recv) && (fn.Pkg() == nil || fn.Pkg() == p.pkg) {
		for _, key := range p.nb.MethodsNamed(fn.Name()) {
			p.out.calls.Add(key)
		}
		return
	}
	p.out.hasEffect = p.out.hasEffect || !IsPure(fn)
}

// call records the effects of a call of a built-in function or of a function value, and the methods of the arguments of
// a function of another package, which may call these.
func (p *purityAnalysis) call(x *ast.CallExpr) {
	c := p.f.callee(x)
	switch {
	case c.name == "print" || c.name == "println" || c.name == "close":
		p.out.hasEffect = true
	case c.isValue:
		base := baseIdent(ast.Unparen(x.Fun))
		if base != nil && p.Variables[p.info.ObjectOf(base)] != "" {
			p.out.hasEffect = true
		}
	case c.fn != nil && c.key == "" && c.fn.Pkg() != p.pkg:
		for _, a := range x.Args {
			p.methodsOf(p.info.TypeOf(a))
		}
	}
}

// methodsOf records calls of all methods of t if t is a notebook type.
func (p *purityAnalysis) methodsOf(t types.Type) {
	before := len(p.f.sum.Calls)
	p.f.methodsOf(types.Unalias(t))
	for _, c := range p.f.sum.Calls[before:] {
		p.out.calls.Add(c.Key)
	}
}

// IsRepeatable reports whether code gives the same value in a child process. It does if the code and all functions
// that it calls have no effects, and read only variables for which isSame returns true.
func (p purity) IsRepeatable(nb Notebook, isSame func(variable string) bool) bool {
	seen := Names{}
	for todo := []purity{p}; len(todo) > 0; todo = todo[1:] {
		if todo[0].hasEffect {
			return false
		}
		for name := range todo[0].reads {
			if !isSame(name) {
				return false
			}
		}
		for key := range todo[0].calls {
			if seen[key] {
				continue
			}
			seen.Add(key)
			f := nb.Function(key)
			if f == nil || f.purity == nil || len(f.Summary.writes) > 0 || f.Summary.process {
				return false
			}
			todo = append(todo, *f.purity)
		}
	}
	return true
}
