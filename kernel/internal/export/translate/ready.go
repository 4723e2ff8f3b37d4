package translate

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/program/effects"
)

// isReady reports whether a statement declares variables at package level whose first values are constants, or
// composites of constants: the declaration at package level has the values.
func (b *translation) isReady(st *resolve.Stmt) bool {
	var spans []cell.Span
	switch {
	case st.Define >= 0:
		spans = st.Values
	case st.Var != nil:
		spans = st.Var.Values
	}
	if len(spans) == 0 || st.Embed != "" || st.StartsWatch() || st.StopsWatch() {
		return false
	}
	for _, d := range b.definitions(st) {
		if d.variable == nil || !b.isGlobal[d.variable] || d.variable.Stmt != st {
			return false
		}
	}
	return b.isConstants(st, spans)
}

// isConstants reports whether the expressions in ranges of a statement have the same values at any time.
func (b *translation) isConstants(st *resolve.Stmt, spans []cell.Span) bool {
	for _, s := range spans {
		x, err := parser.ParseExpr(st.Text[s.Start:s.End])
		if err != nil || !b.isConstant(st, x, s.Start) {
			return false
		}
	}
	return true
}

// isConstant reports whether an expression has the same value at any time. at is its offset in the statement.
func (b *translation) isConstant(st *resolve.Stmt, x ast.Expr, at int) bool {
	ok := true
	skip, pure := map[ast.Node]bool{}, map[ast.Node]bool{}
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.TypeAssertExpr, *ast.IndexExpr, *ast.SliceExpr:
			ok = false
		case *ast.UnaryExpr:
			ok = ok && n.Op.String() != "<-" && n.Op.String() != "&"
		case *ast.CallExpr:
			if b.isPureCall(st, n, at) {
				pure[n.Fun] = true
				break
			}
			id, isName := n.Fun.(*ast.Ident)
			ok = ok && isName && (id.Name == "make" || types.Universe.Lookup(id.Name) != nil && isType(id.Name)) && b.means(st, id, at) == (resolve.Target{})
		case *ast.SelectorExpr:
			skip[n.Sel] = true
			id, isName := n.X.(*ast.Ident)
			ok = ok && isName && (pure[n] || b.isPackageConstant(st, id, n.Sel.Name, at))
			if isName {
				skip[id] = true
			}
		case *ast.KeyValueExpr:
			if id, isName := n.Key.(*ast.Ident); isName {
				t := b.means(st, id, at).Entity
				skip[id] = t == nil || t.Kind == cell.Const // else it may be a variable
			}
		case *ast.Ident:
			if t := b.means(st, n, at); !skip[n] && (t.Path != "" || t.Ctx || t.Entity != nil && t.Entity.Kind != cell.Type && t.Entity.Kind != cell.Const) {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// checkChildren refuses variables that may have another value in child processes than in the child processes of the
// notebook: there, a notebook also evaluates initializers that call its functions, if the functions have no effects.
func (b *translation) checkChildren() {
	if !b.UsesProcesses() {
		return
	}
	for _, e := range b.Entities(cell.Var) {
		st := e.Stmt
		spans := st.Values
		if st.Var != nil {
			spans = st.Var.Values
		}
		if e.Same != nil || !b.isGlobal[e] || !b.inFunction[e] || len(spans) == 0 || b.isReady(st) {
			continue
		}
		if !slices.ContainsFunc(spans, func(s cell.Span) bool { return b.hasEffect(st, s) }) {
			b.Refuse(st.Step, st.Pos, "%s may have another value in child processes of a program: declare it without a value, and assign the value", e.Name)
		}
	}
}

// hasEffect reports whether an expression certainly has effects, so that no child process evaluates it: it receives from a channel or
// calls a function of a package that is not known to be without effects.
func (b *translation) hasEffect(st *resolve.Stmt, s cell.Span) bool {
	x, err := parser.ParseExpr(st.Text[s.Start:s.End])
	if err != nil {
		return false
	}
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok {
				fn := b.packageFunction(st, id, n.Sel.Name, s.Start)
				found = found || fn != nil && !effects.IsPure(fn)
			}
		}
		return !found
	})
	return found
}

// isPureCall reports whether a call of a package's function has no effects, and a result that depends on its arguments only. Such
// an initializer stands at package level if there are child processes, which then have the value, too.
func (b *translation) isPureCall(st *resolve.Stmt, call *ast.CallExpr, at int) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !b.UsesProcesses() {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return false
	}
	fn := b.packageFunction(st, id, sel.Sel.Name, at)
	return fn != nil && effects.IsPure(fn)
}

func (b *translation) packageFunction(st *resolve.Stmt, id *ast.Ident, sel string, at int) *types.Func {
	t := b.means(st, id, at)
	if t.Path == "" || t.IsMember {
		return nil
	}
	pkg, err := b.Pkgs.Import(t.Path)
	if err != nil {
		return nil
	}
	fn, _ := pkg.Scope().Lookup(sel).(*types.Func)
	return fn
}

func isType(name string) bool {
	_, ok := types.Universe.Lookup(name).(*types.TypeName)
	return ok
}

// means returns the meaning of an identifier in an expression at an offset of a statement.
func (b *translation) means(st *resolve.Stmt, id *ast.Ident, at int) resolve.Target {
	off := at + int(id.Pos()) - 1
	for _, r := range st.Refs {
		if r.Off == off && r.Name == id.Name {
			return b.LookupIn(st, r)
		}
	}
	return resolve.Target{}
}

func (b *translation) isPackageConstant(st *resolve.Stmt, id *ast.Ident, sel string, at int) bool {
	t := b.means(st, id, at)
	if t.Path == "" || t.IsMember {
		return false
	}
	pkg, err := b.Pkgs.Import(t.Path)
	if err != nil {
		return false
	}
	switch pkg.Scope().Lookup(sel).(type) {
	case *types.Const, *types.TypeName:
		return true
	}
	return false
}
