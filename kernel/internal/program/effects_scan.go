package program

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// A scan looks at the functions of one checked unit.
type scan struct {
	b         *builder
	info      *types.Info
	pkg       *types.Package
	variables map[types.Object]string // notebook variables
	functions map[types.Object]string // notebook functions that are no methods, by their keys
	reaches   map[string]names
}

func newScan(b *builder, r *result, in map[*symbol]form) *scan {
	sc := &scan{b: b, info: r.info, pkg: r.pkg, variables: map[types.Object]string{}, functions: map[types.Object]string{}, reaches: map[string]names{}}
	note := func(s *symbol) {
		if s.kind != cell.Var && s.kind != cell.Func || s.recv != "" {
			return
		}
		into := sc.variables
		if s.kind == cell.Func {
			into = sc.functions
			if obj := r.pkg.Scope().Lookup(aliasName(s)); obj != nil {
				into[obj] = s.key
			}
		}
		if obj := r.pkg.Scope().Lookup(b.nameIn(s, s.key)); obj != nil {
			into[obj] = s.key
		}
	}
	for s := range in {
		note(s)
	}
	for _, s := range b.decls {
		note(s)
	}
	for _, v := range b.vars {
		note(v)
	}
	return sc
}

// reached lists the variables that a function names, or those it calls.
func (sc *scan) reached(key string) names {
	if out, ok := sc.reaches[key]; ok {
		return out
	}
	out := names{}
	seen := names{key: true}
	for todo := []string{key}; len(todo) > 0; todo = todo[1:] {
		s := sc.b.lookup(todo[0])
		if s == nil {
			continue
		}
		if s.kind == cell.Var {
			out.add(s.key)
			continue
		}
		for _, name := range s.references() {
			if !seen[name] {
				seen.add(name)
				todo = append(todo, name)
			}
		}
	}
	sc.reaches[key] = out
	return out
}

// A funcScan looks at one function, without regard to the order in which its
// statements run.
type funcScan struct {
	*scan
	locals map[types.Object]*roots
	sum    summary
	news   bool // a local variable may refer to more than was known
}

// function summarizes a function with a body.
func (sc *scan) function(fd *ast.FuncDecl) summary {
	f := &funcScan{scan: sc, locals: map[types.Object]*roots{}}
	param := func(list *ast.FieldList, from int) {
		if list == nil {
			return
		}
		for _, field := range list.List {
			for _, id := range field.Names {
				f.locals[sc.info.Defs[id]] = &roots{vars: names{}, params: map[int]bool{from: true}}
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

// run repeats the look at n until nothing new is found out about locals.
func (f *funcScan) run(n ast.Node) {
	for {
		f.news = false
		f.sum = newSummary()
		ast.Inspect(n, f.node)
		if !f.news {
			return
		}
	}
}

// initializers takes in the values of a variable specification.
func (sc *scan) initializers(sum *summary, r *result, s *spec) {
	for _, file := range r.files {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || r.owner(g.Pos()) != s.owner && r.owner(g.End()-1) != s.owner {
				continue
			}
			f := &funcScan{scan: sc, locals: map[types.Object]*roots{}}
			f.run(g)
			sum.merge(f.sum)
		}
	}
}

func (s *summary) merge(o summary) {
	if s.writes == nil {
		*s = newSummary()
	}
	s.writes.add(o.writes.sorted()...)
	s.deep.add(o.deep.sorted()...)
	s.sets.add(o.sets.sorted()...)
	s.addressed.add(o.addressed.sorted()...)
	s.links = append(s.links, o.links...)
	s.calls = append(s.calls, o.calls...)
	s.process = s.process || o.process
}

func (f *funcScan) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for i, lhs := range n.Lhs {
			rhs := n.Rhs[min(i, len(n.Rhs)-1)]
			f.assign(lhs, f.of(rhs))
		}
	case *ast.ValueSpec:
		for i, id := range n.Names {
			if len(n.Values) > 0 {
				f.assign(id, f.of(n.Values[min(i, len(n.Values)-1)]))
			}
		}
	case *ast.IncDecStmt:
		f.assign(n.X, roots{})
	case *ast.RangeStmt:
		f.ranges(n)
	case *ast.SendStmt:
		f.writes(f.place(n.Chan))
		f.link(f.place(n.Chan), f.of(n.Value))
	case *ast.UnaryExpr:
		f.unary(n)
	case *ast.FuncLit:
		for _, v := range f.captured(n).variables() {
			f.sum.addressed.add(v)
		}
	case *ast.CallExpr:
		f.call(n)
	case *ast.SelectorExpr:
		if sel := f.info.Selections[n]; sel != nil && sel.Kind() == types.MethodVal {
			if fn, ok := sel.Obj().(*types.Func); ok {
				if key := f.methodKey(fn); key != "" {
					f.sum.calls = append(f.sum.calls, summaryCall{key: key, args: map[int]roots{-1: f.place(n.X)}})
				}
			}
		}
	case *ast.Ident:
		// A function that is handed on may be called by whoever gets it.
		if key, ok := f.functions[f.info.Uses[n]]; ok {
			f.sum.calls = append(f.sum.calls, summaryCall{key: key})
		}
	}
	return true
}

func (f *funcScan) unary(n *ast.UnaryExpr) {
	switch n.Op {
	case token.ARROW:
		f.writes(f.place(n.X))
	case token.AND:
		f.sum.addressed.add(f.place(n.X).variables()...)
	}
}

func (f *funcScan) ranges(n *ast.RangeStmt) {
	if t := f.info.TypeOf(n.X); t != nil {
		if _, ok := t.Underlying().(*types.Chan); ok {
			f.writes(f.place(n.X))
		}
	}
	from := f.place(n.X)
	for _, x := range []ast.Expr{n.Key, n.Value} {
		if x == nil {
			continue
		}
		if t := f.info.TypeOf(x); t != nil && !refers(t) {
			f.assign(x, roots{})
		} else {
			f.assign(x, from)
		}
	}
}

// assign notes that a place gets a value that refers to from.
func (f *funcScan) assign(lhs ast.Expr, from roots) {
	lhs = ast.Unparen(lhs)
	if t := f.info.TypeOf(lhs); t != nil && !refers(t) {
		from = roots{}
	}
	if id, ok := lhs.(*ast.Ident); ok {
		obj := f.info.ObjectOf(id)
		if name, ok := f.variables[obj]; ok {
			f.sum.writes.add(name)
			f.sum.sets.add(name)
			f.link(roots{vars: names{name: true}}, from)
		} else if obj != nil {
			f.grow(obj, from)
		}
		return
	}
	to := f.place(lhs)
	f.writes(to)
	f.link(to, from)
	if base := baseOf(lhs); base != nil {
		if obj := f.info.ObjectOf(base); obj != nil && f.variables[obj] == "" {
			f.grow(obj, from)
		}
	}
}

// grow notes that a local variable may refer to more.
func (f *funcScan) grow(obj types.Object, from roots) {
	if from.empty() {
		return
	}
	if f.locals[obj] == nil {
		f.locals[obj] = &roots{}
	}
	if f.locals[obj].with(from) {
		f.news = true
	}
}

func baseOf(x ast.Expr) *ast.Ident {
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

func (f *funcScan) writes(r roots) {
	f.sum.writes.add(r.variables()...)
	f.sum.deep.add(r.variables()...)
	for p := range r.params {
		f.sum.params[p] = true
	}
}

func (f *funcScan) link(a, b roots) {
	if len(a.vars) > 0 && len(b.vars) > 0 {
		f.sum.links = append(f.sum.links, [2]names{a.vars, b.vars})
	}
}
