package program

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// resultStmt finds the statement whose value the cell shows.
func (b *builder) resultStmt() (int, *emit.Stmt) {
	for i, st := range b.stmts {
		if st.IsResult {
			return i, st
		}
	}
	return -1, nil
}

// showResult makes the last expression an argument of the show function, unless it is a call or a receive. For a call
// or a receive, recordResult does that later, when the types are known.
func (b *builder) showResult() {
	_, st := b.resultStmt()
	if st == nil || st.Call {
		return
	}
	st.Show = emit.Shown
	if b.cell.HideResult {
		st.Show = emit.Discarded
	}
}

// resultExpr returns the last expression in the checked entry function. Statement i of that
// function is statement i of the builder.
func (b *builder) resultExpr(entry *ast.FuncDecl) ast.Expr {
	i, _ := b.resultStmt()
	if i < 0 || entry == nil || i >= len(entry.Body.List) {
		return nil
	}
	s := entry.Body.List[i]
	for {
		l, ok := s.(*ast.LabeledStmt)
		if !ok {
			break
		}
		s = l.Stmt
	}
	if x, ok := s.(*ast.ExprStmt); ok {
		return x.X
	}
	return nil
}

// isResultFault reports whether the fault is Go's error that the last
// expression, a conversion or a call of a built-in function, is not used.
func (b *builder) isResultFault(r *check.Result, entry *ast.FuncDecl, f check.Fault) bool {
	x := b.resultExpr(entry)
	if x == nil || !strings.HasSuffix(f.Err.Msg, "is not used") {
		return false
	}
	return f.Pos >= x.Pos() && f.Pos < x.End() && r.Info.Types[x].IsValue()
}

// recordResult decides how the value of a last call is shown.
func (b *builder) recordResult(r *check.Result, entry *ast.FuncDecl) {
	x := b.resultExpr(entry)
	if x == nil {
		return
	}
	_, st := b.resultStmt()
	if st.Show != emit.NotShown { // showResult has made the expression an argument
		call := x.(*ast.CallExpr)
		if st.Show == emit.Shown && len(call.Args) == 1 {
			st.ShowAs(r.Info.TypeOf(call.Args[0]), r.Pkg)
		}
		return
	}
	tv := r.Info.Types[x]
	if !tv.IsValue() || check.IsPrint(r.Info, x) {
		return
	}
	if t, ok := tv.Type.(*types.Tuple); ok && t.Len() == 0 {
		return
	}
	st.ShowAs(tv.Type, r.Pkg)
	if b.cell.HideResult {
		st.Show = emit.Discarded
	}
}

// recordVars gives the cell's variables their types and link names.
func (b *builder) recordVars(r *check.Result, entry *ast.FuncDecl, tops []*ast.Ident) {
	if entry == nil {
		b.recordSpecs(r)
		return
	}
	stmts := b.stmtsByName()
	for _, id := range tops {
		v := b.vars[id.Name]
		obj, _ := r.Info.Defs[id].(*types.Var)
		if v == nil || obj == nil {
			continue
		}
		st := stmts[id.Name]
		b.recordVar(v, obj.Type(), r.Pkg)
		if st != nil {
			if t := b.declaredType(st.Source, st.Var, b.stmtBindings); t != nil {
				v.Type = t
			}
		}
		if v.Type == nil {
			v.TypeExpr = b.typeExpr(st, id.Name)
		}
	}
	for _, st := range b.stmts {
		if st.Var != nil {
			st.IsStatic = b.isStatic(r, entry, st)
		}
	}
}

func (b *builder) stmtsByName() map[string]*emit.Stmt {
	out := map[string]*emit.Stmt{}
	for _, st := range b.stmts {
		for i, n := range st.Names {
			if st.New[i] {
				out[n.Name] = st
			}
		}
	}
	return out
}

func (b *builder) recordSpecs(r *check.Result) {
	for name, v := range b.vars {
		if obj, ok := r.Pkg.Scope().Lookup(v.GoNameOf(name)).(*types.Var); ok {
			b.recordVar(v, obj.Type(), r.Pkg)
		}
	}
	for _, s := range b.specs {
		if t := b.declaredType(s.Source, s.Var, s.Owner.Bindings); t != nil {
			for _, n := range s.Names {
				if v := b.vars[n.Name]; v != nil {
					v.Type = t
				}
			}
		}
	}
}

func (b *builder) recordVar(v *symtab.Symbol, t types.Type, main *types.Package) {
	v.Type = typetext.Of(t, main)
	v.TypeString = typetext.String(t, main)
	v.IsEmbeddable = check.CanEmbed(t)
	v.MayHoldError, v.ChangesWhole = effects.MayHoldError(t, 2), effects.ChangesWhole(t)
	v.Fingerprint = typetext.Fingerprint(t, main)
	b.link(v)
}
