package program

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// The compiler makes constants and generic code part of the code of a function literal that uses them. When
// such a constant or generic declaration changes, the literal is compiled again: the literal "follows" the declaration.
// A literal in a declared function is compiled again with that function. For the literals in a cell's statements, a
// unit contains the function of the statements again, reduced to the literals: the compiler names a literal after the
// function around it and its number in that function. Every literal that follows something needs a stub, as functions
// have, which jumps to the newest code. A literal that captures variables of a statement cannot be compiled without
// that statement, and keeps its code. A literal in a function also keeps its code if the variables that it captures, or
// the way in which they are captured, may have changed.

// following reports, for each outermost literal of src, whether it follows constants or generic code. If captures is
// false, literals that capture variables do not count.
func (b *builder) following(src cell.Source, binds map[string]symtab.Binding, captures bool) []bool {
	out := make([]bool, len(src.Outermost))
	for i, lit := range src.Outermost {
		out[i] = (captures || !lit.Captures) && b.wouldFollow(src, lit, binds)
	}
	return out
}

func (b *builder) wouldFollow(src cell.Source, lit cell.Outermost, binds map[string]symtab.Binding) bool {
	return uses(src, lit, binds, func(name string) bool { return b.becomesCode(name, map[string]bool{}) })
}

// keeping reports, for each outermost literal of a statement, whether it would follow something but captures variables of
// the statement. A literal that is called where it is written does not count: its call has ended.
func (b *builder) keeping(src cell.Source) []bool {
	out := make([]bool, len(src.Outermost))
	for i, lit := range src.Outermost {
		out[i] = lit.Captures && src.InLiteral(lit.Start) && b.wouldFollow(src, lit, b.stmtBindings)
	}
	return out
}

// uses reports whether a literal uses a name of the notebook for which is returns true.
func uses(src cell.Source, lit cell.Outermost, binds map[string]symtab.Binding, is func(name string) bool) bool {
	return slices.ContainsFunc(src.Refs, func(r cell.Ref) bool {
		within := r.Off >= lit.Start && r.Off < lit.End && !r.Key && !r.Top
		return within && binds[r.Name].Kind == symtab.InNotebook && is(r.Name)
	})
}

// becomesCode reports whether the compiler makes the meaning of a name part of the code that uses it: a constant or a
// generic declaration, or a type, a variable or a function whose type depends on one.
func (b *builder) becomesCode(name string, seen map[string]bool) bool {
	s := b.lookup(name)
	if s == nil || seen[name] {
		return false
	}
	seen[name] = true
	part := func(name string) bool { return b.becomesCode(name, seen) }
	switch {
	case s.Kind == cell.Const, s.Decl != nil && s.Decl.Generic:
		return true
	case s.Kind == cell.Var:
		return s.Type != nil && slices.ContainsFunc(s.Type.Names, func(name string) bool { return b.isGenericType(name, map[string]bool{}) })
	}
	return s.Decl != nil && slices.ContainsFunc(s.Decl.Refs, func(r cell.Ref) bool {
		inType := s.Kind == cell.Type || s.Kind == cell.Func && r.Off < s.Decl.Body
		return inType && s.Bindings[r.Name].Kind == symtab.InNotebook && part(r.Name)
	})
}

// isGenericType reports whether a type is generic or refers to a generic type.
func (b *builder) isGenericType(name string, seen map[string]bool) bool {
	s := b.lookup(name)
	if s == nil || seen[name] || s.Kind != cell.Type {
		return false
	}
	seen[name] = true
	return s.Decl.Generic || slices.ContainsFunc(s.Decl.Refs, func(r cell.Ref) bool {
		return s.Bindings[r.Name].Kind == symtab.InNotebook && b.isGenericType(r.Name, seen)
	})
}

// specsHaveFollowers reports whether a cell of declarations has variables with literals
// that follow constants or generic code: these must be in the function of the cell's statements.
func (b *builder) specsHaveFollowers() bool {
	return slices.ContainsFunc(b.specs, func(s *emit.Spec) bool {
		return slices.Contains(b.following(s.Source, s.Owner.Bindings, false), true)
	})
}

// noteLiterals makes a symbol of the literals in the cell's statements that follow something.
func (b *builder) noteLiterals(r *check.Result) {
	b.statements = nil
	if b.cell.N == 0 {
		return
	}
	holder := &symtab.Symbol{Kind: cell.Statement, GoName: emit.EntryName(b.cell.N), Origin: b.origin, Bindings: b.stmtBindings}
	holder.Promoting = slices.Sorted(maps.Keys(b.promoting))
	any := len(holder.Promoting) > 0
	for _, st := range b.stmts {
		if len(st.Outermost) == 0 {
			continue
		}
		follow, keep := b.following(st.Source, b.stmtBindings, false), b.keeping(st.Source)
		any = any || slices.Contains(follow, true) || slices.Contains(keep, true)
		holder.LiteralSources = append(holder.LiteralSources, symtab.LiteralSource{Source: st.Source, Follows: follow, Keeps: keep})
	}
	if any {
		b.statements = holder
		b.recordLiterals(r, holder)
	}
}

// recordLiterals records the types of a symbol's literals that follow something.
func (b *builder) recordLiterals(r *check.Result, s *symtab.Symbol) {
	s.Literals, s.KeepsLiterals = nil, false
	body := r.BodyOf(s)
	if body == nil {
		return
	}
	var follow []bool
	for _, src := range s.LiteralSources {
		follow = append(follow, src.Follows...)
	}
	pruned, dictionary := check.DependsOnConstant(r.Info, body), ""
	if s.IsGenericFunc() { // the literals use its dictionary, which depends on the types in its body
		dictionary = r.TypesIn(body)
	}
	var note func(lit *ast.FuncLit, suffix string)
	note = func(lit *ast.FuncLit, suffix string) {
		if vars := r.Captured(lit) + dictionary; vars == "" || !pruned {
			s.Literals = append(s.Literals, symtab.Literal{Suffix: suffix, Fingerprint: typetext.Fingerprint(r.Info.TypeOf(lit), r.Pkg) + vars})
		} else {
			s.KeepsLiterals = true
		}
		for n, nested := range check.Outermost(lit.Body) {
			note(nested, fmt.Sprintf("%s.%d", suffix, n+1))
		}
	}
	for n, lit := range check.Outermost(body) {
		if n < len(follow) && follow[n] {
			note(lit, fmt.Sprintf("func%d", n+1))
		}
	}
}

// literalNames returns the link symbols of a symbol's literals. If old is not nil, it
// returns only those that have the same type as in old: callers of the old literal
// cannot call one of another type.
func literalNames(container string, s, old *symtab.Symbol) []string {
	var out []string
	for _, l := range s.Literals {
		if old == nil || slices.Contains(old.Literals, l) {
			out = append(out, container+"."+l.Suffix)
		}
	}
	return out
}

// functionLiterals records which literals of a function follow something.
func (b *builder) functionLiterals(r *check.Result, s *symtab.Symbol) {
	s.LiteralSources, s.Literals, s.KeepsLiterals = nil, nil, false
	if follow := b.followingIn(s); slices.Contains(follow, true) {
		s.LiteralSources = []symtab.LiteralSource{{Source: s.Decl.Source, Follows: follow}}
		b.recordLiterals(r, s)
	}
}

// followingIn reports, for each outermost literal of a function, whether it follows constants or generic code.
func (b *builder) followingIn(s *symtab.Symbol) []bool {
	if s.Kind != cell.Func || s.Decl.Body < 0 || len(s.Decl.Outermost) == 0 || s.IsInit() {
		return nil
	}
	if s.Decl.Generic {
		return b.followingConstants(s)
	}
	return b.following(s.Decl.Source, s.Bindings, true)
}

// followingConstants does what followingIn does, for generic functions. Their literals follow only constants: a literal
// that follows something cannot be inlined, and iterators, which are often generic, need inlining.
func (b *builder) followingConstants(s *symtab.Symbol) []bool {
	out := make([]bool, len(s.Decl.Outermost))
	for i, lit := range s.Decl.Outermost {
		out[i] = uses(s.Decl.Source, lit, s.Bindings, func(name string) bool {
			c := b.lookup(name)
			return c != nil && c.Kind == cell.Const
		})
	}
	return out
}

// describeLiterals adds to u the literals that get a stub, and those whose new code an older stub is to jump to.
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
		if b.byFollowed[old] && s.GoName == old.GoName {
			before[s] = old
			if old.KeepsLiterals || len(literalNames("", s, old)) < len(old.Literals) {
				b.noteKept(fmt.Sprintf("%s (%s)", s.Key, cell.Name(s.Origin.Cell)))
			}
		}
	}
	for _, s := range u.changes.Loaded {
		old := before[s]
		if old == nil && b.table.Names[s.Key] == s && !s.NeedsNewStub {
			old = s // the function is loaded again without a change
		}
		b.describeFunction(u, s, old)
	}
	sort.Strings(u.Fresh)
	sort.Strings(u.Renewed)
	if len(b.keptLiterals) > 0 {
		u.Notices = append(u.Notices, fmt.Sprintf("function literals made by %s keep their older code, since they capture variables", listed(b.keptLiterals)))
	}
}

// noteKept adds a place to keptLiterals: its function literals keep their code although the cell changes a declaration
// that they use.
func (b *builder) noteKept(where string) {
	if !slices.Contains(b.keptLiterals, where) {
		b.keptLiterals = append(b.keptLiterals, where)
	}
}

// describeFunction adds the literals of a function that the unit defines to u. A literal
// that has a stub gets a new one, unless old has the same literal with the same type: then
// only constants or generic code in it have changed.
func (b *builder) describeFunction(u *Unit, s, old *symtab.Symbol) {
	container := s.LinkSymbol()
	follow, keep := literalNames(container, s, nil), []string{}
	if old != nil {
		keep = literalNames(container, s, old)
	}
	u.changes.StubbedLiterals = append(u.changes.StubbedLiterals, follow...)
	fresh := follow
	for name := range b.table.StubbedLiterals {
		if !strings.HasPrefix(name, container+".func") {
			continue
		}
		if !slices.Contains(follow, name) {
			fresh = append(fresh, name) // the new code may still have such a literal
		}
		if !slices.Contains(keep, name) {
			u.Renewed = append(u.Renewed, name)
		}
	}
	u.Fresh = append(u.Fresh, fresh...)
	if s.IsGenericFunc() {
		u.Literals = append(u.Literals, fresh...)
	}
}

// recordAllLiterals records the literals of the cell, and of the symbols that are compiled again.
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
