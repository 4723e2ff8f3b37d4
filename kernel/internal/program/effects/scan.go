package effects

import (
	"go/ast"
	"go/token"
	"go/types"
)

// An Analysis analyses the functions of one checked unit.
type Analysis struct {
	nb        Notebook
	info      *types.Info
	pkg       *types.Package
	Variables map[types.Object]string // names of the notebook's variables, by object; callers may add more
	functions map[types.Object]string // keys of notebook functions, without methods
	reaches   map[string]Names        // results of reachedVariables, by key
}

// NewAnalysis returns an analysis of a checked unit. variables and functions map the objects of the notebook's
// variables and functions in the unit to their keys. Methods are not in functions.
func NewAnalysis(nb Notebook, info *types.Info, pkg *types.Package, variables, functions map[types.Object]string) *Analysis {
	return &Analysis{nb, info, pkg, variables, functions, map[string]Names{}}
}

// reachedVariables returns the notebook variables that a function uses, directly or through other declarations.
func (a *Analysis) reachedVariables(key string) Names {
	if out, ok := a.reaches[key]; ok {
		return out
	}
	out := Names{}
	seen := Names{key: true}
	for todo := []string{key}; len(todo) > 0; todo = todo[1:] {
		references, isVariable := a.nb.References(todo[0])
		if isVariable {
			out.Add(todo[0])
			continue
		}
		for _, name := range references {
			if !seen[name] {
				seen.Add(name)
				todo = append(todo, name)
			}
		}
	}
	a.reaches[key] = out
	return out
}

// Function returns the summary and the purity of a function with a body.
func (a *Analysis) Function(fd *ast.FuncDecl) Function {
	p := a.Purity(fd.Body)
	return Function{a.Summarize(fd), &p}
}

// A funcAnalysis analyses one function. It ignores the order in which the statements
// run.
type funcAnalysis struct {
	*Analysis
	locals  map[types.Object]*roots
	sum     Summary
	changed bool // the roots of a local variable have grown
}

// Summarize returns the summary of a function with a body.
func (a *Analysis) Summarize(fd *ast.FuncDecl) Summary {
	f := &funcAnalysis{Analysis: a, locals: map[types.Object]*roots{}}
	param := func(list *ast.FieldList, from int) {
		if list == nil {
			return
		}
		for _, field := range list.List {
			for _, id := range field.Names {
				f.locals[a.info.Defs[id]] = &roots{vars: Names{}, params: map[int]bool{from: true}}
				from++
			}
			if len(field.Names) == 0 {
				from++
			}
		}
	}
	param(fd.Recv, -1)
	param(fd.Type.Params, 0)
	f.run(fd.Body)
	return f.sum
}

// SummarizeCode returns the summary of code that is not a function with parameters.
func (a *Analysis) SummarizeCode(n ast.Node) Summary {
	f := &funcAnalysis{Analysis: a, locals: map[types.Object]*roots{}}
	f.run(n)
	return f.sum
}

// run repeats the analysis of n until the roots of local variables no longer grow.
func (f *funcAnalysis) run(n ast.Node) {
	for {
		f.changed = false
		f.sum = newSummary()
		ast.Inspect(n, f.node)
		if !f.changed {
			return
		}
	}
}

// Merge adds the effects of o to s, which may be the zero value.
func (s *Summary) Merge(o Summary) {
	if s.writes == nil {
		*s = newSummary()
	}
	s.writes.Add(o.writes.Sorted()...)
	s.Inside.Add(o.Inside.Sorted()...)
	s.Assigned.Add(o.Assigned.Sorted()...)
	s.addressed.Add(o.addressed.Sorted()...)
	s.sharing = append(s.sharing, o.sharing...)
	s.Calls = append(s.Calls, o.Calls...)
	s.process = s.process || o.process
}

func (f *funcAnalysis) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for i, lhs := range n.Lhs {
			rhs := n.Rhs[min(i, len(n.Rhs)-1)]
			f.assign(lhs, f.valueRoots(rhs))
		}
	case *ast.ValueSpec:
		for i, id := range n.Names {
			if len(n.Values) > 0 {
				f.assign(id, f.valueRoots(n.Values[min(i, len(n.Values)-1)]))
			}
		}
	case *ast.IncDecStmt:
		f.assign(n.X, roots{})
	case *ast.RangeStmt:
		f.rangeStmt(n)
	case *ast.SendStmt:
		f.write(f.memoryRoots(n.Chan))
		f.share(f.memoryRoots(n.Chan), f.valueRoots(n.Value))
	case *ast.UnaryExpr:
		f.unaryExpr(n)
	case *ast.FuncLit:
		for _, v := range f.capturedRoots(n).variables() {
			f.sum.addressed.Add(v)
		}
	case *ast.CallExpr:
		f.call(n)
	case *ast.SelectorExpr:
		if sel := f.info.Selections[n]; sel != nil && sel.Kind() == types.MethodVal {
			if fn, ok := sel.Obj().(*types.Func); ok {
				if key := f.methodKey(fn); key != "" {
					f.sum.Calls = append(f.sum.Calls, Call{Key: key, args: map[int]roots{-1: f.memoryRoots(n.X)}})
				}
			}
		}
	case *ast.Ident:
		// A function that is used as a value may be called.
		if key, ok := f.functions[f.info.Uses[n]]; ok {
			f.sum.Calls = append(f.sum.Calls, Call{Key: key})
		}
	}
	return true
}

func (f *funcAnalysis) unaryExpr(n *ast.UnaryExpr) {
	switch n.Op {
	case token.ARROW:
		f.write(f.memoryRoots(n.X))
	case token.AND:
		f.sum.addressed.Add(f.memoryRoots(n.X).variables()...)
	}
}

func (f *funcAnalysis) rangeStmt(n *ast.RangeStmt) {
	if t := f.info.TypeOf(n.X); t != nil {
		if _, ok := t.Underlying().(*types.Chan); ok {
			f.write(f.memoryRoots(n.X))
		}
	}
	from := f.memoryRoots(n.X)
	for _, x := range []ast.Expr{n.Key, n.Value} {
		if x == nil {
			continue
		}
		if t := f.info.TypeOf(x); t != nil && !hasReferences(t) {
			f.assign(x, roots{})
		} else {
			f.assign(x, from)
		}
	}
}

// assign records an assignment to lhs of a value that refers to from.
func (f *funcAnalysis) assign(lhs ast.Expr, from roots) {
	lhs = ast.Unparen(lhs)
	if t := f.info.TypeOf(lhs); t != nil && !hasReferences(t) {
		from = roots{}
	}
	if id, ok := lhs.(*ast.Ident); ok {
		obj := f.info.ObjectOf(id)
		if name, ok := f.Variables[obj]; ok {
			f.sum.writes.Add(name)
			f.sum.Assigned.Add(name)
			f.share(roots{vars: Names{name: true}}, from)
		} else if obj != nil {
			f.addRoots(obj, from)
		}
		return
	}
	to := f.memoryRoots(lhs)
	f.write(to)
	f.share(to, from)
	if base := baseIdent(lhs); base != nil {
		if obj := f.info.ObjectOf(base); obj != nil && f.Variables[obj] == "" {
			f.addRoots(obj, from)
		}
	}
}

// addRoots adds from to the roots of a local variable.
func (f *funcAnalysis) addRoots(obj types.Object, from roots) {
	if from.isEmpty() {
		return
	}
	if f.locals[obj] == nil {
		f.locals[obj] = &roots{}
	}
	if f.locals[obj].add(from) {
		f.changed = true
	}
}

func baseIdent(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.ParenExpr:
			x = e.X
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		default:
			return nil
		}
	}
}

func (f *funcAnalysis) write(r roots) {
	f.sum.writes.Add(r.variables()...)
	f.sum.Inside.Add(r.variables()...)
	for p := range r.params {
		f.sum.params[p] = true
	}
}

func (f *funcAnalysis) share(a, b roots) {
	if len(a.vars) > 0 && len(b.vars) > 0 {
		f.sum.sharing = append(f.sum.sharing, [2]Names{a.vars, b.vars})
	}
}
