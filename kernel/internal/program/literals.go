package program

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// Function literals follow the constants that they use. Those of declared
// functions are compiled again with them; for those of a cell's statements a
// unit has the statements' function again, with the literals alone: the compiler
// gives a literal its name by the function around it and its number in there.
// Both need a stub, as functions have, which leads to the newest code. A literal
// that captures variables of a statement cannot be compiled without that, and
// goes on as it is; so does one of a function if the captured variables, or how
// they are captured, may be others.

// following tells which outermost literals of a piece follow constants.
func (b *builder) following(src cell.Source, binds map[string]symtab.Binding, captures bool) []bool {
	out := make([]bool, len(src.Outermost))
	for i, lit := range src.Outermost {
		out[i] = (captures || !lit.Captures) && slices.ContainsFunc(src.Refs, func(r cell.Ref) bool {
			within := r.Off >= lit.Start && r.Off < lit.End && !r.Key && !r.Top
			return within && binds[r.Name].Kind == symtab.InNotebook && b.dependsOnConstant(r.Name, map[string]bool{})
		})
	}
	return out
}

// dependsOnConstant reports whether a name is a constant of the notebook, or a
// type that one is part of.
func (b *builder) dependsOnConstant(name string, seen map[string]bool) bool {
	s := b.lookup(name)
	switch {
	case s == nil || seen[name]:
		return false
	case s.Kind == cell.Const:
		return true
	case s.Kind != cell.Type:
		return false
	}
	seen[name] = true
	return slices.ContainsFunc(s.Decl.Refs, func(r cell.Ref) bool {
		return s.Bindings[r.Name].Kind == symtab.InNotebook && b.dependsOnConstant(r.Name, seen)
	})
}

// specsFollowConstants reports whether a cell of declarations has variables with literals
// that follow constants: these must be in the function of the cell's statements.
func (b *builder) specsFollowConstants() bool {
	return slices.ContainsFunc(b.specs, func(s *emit.Spec) bool {
		return slices.Contains(b.following(s.Source, s.Owner.Bindings, false), true)
	})
}

// noteLiterals makes a symbol of what follows constants in the cell's statements.
func (b *builder) noteLiterals(r *check.Result) {
	b.statements = nil
	if b.cell.N == 0 {
		return
	}
	holder := &symtab.Symbol{Kind: cell.Statement, GoName: emit.EntryName(b.cell.N), Origin: b.origin, Bindings: b.stmtBindings}
	any := false
	for _, st := range b.stmts {
		if len(st.Outermost) == 0 {
			continue
		}
		follow := b.following(st.Source, b.stmtBindings, false)
		any = any || slices.Contains(follow, true)
		holder.LiteralSources = append(holder.LiteralSources, symtab.LiteralSource{Source: st.Source, Follows: follow})
	}
	if any {
		b.statements = holder
		b.recordLiterals(r, holder)
	}
}

// recordLiterals notes the types of a symbol's literals that follow constants.
func (b *builder) recordLiterals(r *check.Result, s *symtab.Symbol) {
	s.Literals = nil
	body := r.BodyOf(s)
	if body == nil {
		return
	}
	var follow []bool
	for _, src := range s.LiteralSources {
		follow = append(follow, src.Follows...)
	}
	pruned := prunes(r.Info, body)
	var note func(lit *ast.FuncLit, suffix string)
	note = func(lit *ast.FuncLit, suffix string) {
		if vars := captured(r, lit); vars == "" || !pruned {
			s.Literals = append(s.Literals, symtab.Literal{Suffix: suffix, Fingerprint: typetext.Fingerprint(r.Info.TypeOf(lit), r.Pkg) + vars})
		}
		for n, nested := range outermost(lit.Body) {
			note(nested, fmt.Sprintf("%s.%d", suffix, n+1))
		}
	}
	for n, lit := range outermost(body) {
		if n < len(follow) && follow[n] {
			note(lit, fmt.Sprintf("func%d", n+1))
		}
	}
}

// outermost lists the function literals of a body that are in no other one.
func outermost(body *ast.BlockStmt) []*ast.FuncLit {
	var list []*ast.FuncLit
	ast.Inspect(body, func(x ast.Node) bool {
		lit, ok := x.(*ast.FuncLit)
		if ok {
			list = append(list, lit)
		}
		return !ok
	})
	return list
}

// literalNames are the link symbols of a symbol's literals. With old, only
// those of the same type as before: the code of others is for other callers.
func literalNames(container string, s, old *symtab.Symbol) []string {
	var out []string
	for _, l := range s.Literals {
		if old == nil || slices.Contains(old.Literals, l) {
			out = append(out, container+"."+l.Suffix)
		}
	}
	return out
}

// functionLiterals notes which literals of a function follow constants.
func (b *builder) functionLiterals(r *check.Result, s *symtab.Symbol) {
	s.LiteralSources, s.Literals = nil, nil
	if follow := b.followingIn(s); slices.Contains(follow, true) {
		s.LiteralSources = []symtab.LiteralSource{{Source: s.Decl.Source, Follows: follow}}
		b.recordLiterals(r, s)
	}
}

// followingIn tells which outermost literals of a function follow constants.
func (b *builder) followingIn(s *symtab.Symbol) []bool {
	if s.Kind != cell.Func || s.Decl.Generic || s.Decl.Body < 0 || len(s.Decl.Outermost) == 0 || s.IsInit() {
		return nil
	}
	return b.following(s.Decl.Source, s.Bindings, true)
}

// prunes reports whether the compiler may leave out a part of a function
// because of a constant: then variables may be captured in another way.
func prunes(info *types.Info, body *ast.BlockStmt) bool {
	found := false
	constant := func(x ast.Expr) bool { return x != nil && info.Types[x].Value != nil }
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			found = found || constant(n.Cond)
		case *ast.ForStmt:
			found = found || constant(n.Cond)
		case *ast.BinaryExpr:
			found = found || (n.Op == token.LAND || n.Op == token.LOR) && (constant(n.X) || constant(n.Y))
		case *ast.SwitchStmt:
			found = found || n.Tag == nil || constant(n.Tag)
		}
		return !found
	})
	return found
}

// captured gives the variables around it that a literal uses, with their types.
func captured(r *check.Result, lit *ast.FuncLit) string {
	var out strings.Builder
	seen := map[types.Object]bool{}
	ast.Inspect(lit, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := r.Info.Uses[id].(*types.Var)
		if ok && !v.IsField() && !seen[v] && v.Pkg() == r.Pkg && v.Parent() != r.Pkg.Scope() && (v.Pos() < lit.Pos() || v.Pos() >= lit.End()) {
			seen[v] = true
			out.WriteString(";" + v.Name() + " " + typetext.Fingerprint(v.Type(), r.Pkg))
		}
		return true
	})
	return out.String()
}

// describeLiterals lists the literals that get a stub, or lead an older one to
// their code.
func (b *builder) describeLiterals(u *Unit) {
	if b.statements != nil {
		u.Fresh = append(u.Fresh, literalNames("main."+b.statements.GoName, b.statements, nil)...)
		u.changes.LiteralHolders = append(u.changes.LiteralHolders, b.statements)
	}
	for _, old := range b.literalHolders {
		s := b.recompiledHolders[old]
		u.Fresh = append(u.Fresh, literalNames("main."+old.GoName, s, old)...)
		u.changes.FormerHolders = append(u.changes.FormerHolders, old)
		u.changes.LiteralHolders = append(u.changes.LiteralHolders, s)
	}
	before := map[*symtab.Symbol]*symtab.Symbol{}
	for old, s := range b.recompiled {
		if b.byConstant[old] && s.GoName == old.GoName {
			before[s] = old
		}
	}
	for _, s := range u.changes.Loaded {
		b.describeFunction(u, s, before[s])
	}
	sort.Strings(u.Fresh)
	sort.Strings(u.Renewed)
}

// describeFunction lists the literals of a function that the unit defines. Those
// that have had a stub get another one, unless the function is the old one with
// other constants.
func (b *builder) describeFunction(u *Unit, s, old *symtab.Symbol) {
	container := s.LinkSymbol()
	follow, keep := literalNames(container, s, nil), []string{}
	if old != nil {
		keep = literalNames(container, s, old)
	}
	u.changes.StubbedLiterals = append(u.changes.StubbedLiterals, follow...)
	u.Fresh = append(u.Fresh, follow...)
	for name := range b.table.StubbedLiterals {
		if !strings.HasPrefix(name, container+".func") {
			continue
		}
		if !slices.Contains(follow, name) {
			u.Fresh = append(u.Fresh, name) // if there is such a literal still
		}
		if !slices.Contains(keep, name) {
			u.Renewed = append(u.Renewed, name)
		}
	}
}

// recordAllLiterals notes the literals of the cell, and of what is compiled again.
func (b *builder) recordAllLiterals(r *check.Result) {
	b.noteLiterals(r)
	for _, s := range b.decls {
		b.functionLiterals(r, s)
	}
	for _, s := range b.recompiled {
		b.functionLiterals(r, s)
	}
	for _, old := range b.literalHolders {
		b.recordLiterals(r, b.recompiledHolders[old])
	}
}
