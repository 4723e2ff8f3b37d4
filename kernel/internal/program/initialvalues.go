package program

import (
	"cmp"
	"go/ast"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// noteInitial finds the variables that have the same initial value in child processes as in the worker process. r is
// the result of checking the whole unit.
func (b *builder) noteInitial(r *check.Result, in map[*symtab.Symbol]emit.Form) {
	b.firstValues, b.altered = nil, effects.Names{}
	b.alteredInside = effects.Names{}
	if b.p.cfg.Standalone != "" {
		return
	}
	own := effects.Names{}
	if len(b.specs) > 0 {
		b.specValues(r, b.newScan(r, in), own)
	} else if b.shape != nil && b.shape.entry != nil {
		b.stmtValues(own)
	}
	b.initFunctions()
	b.throughLinks()
	for name, v := range b.vars {
		v.SameInChildren = own[name]
	}
}

// initFunctions records the variables that the cell's init functions and main change.
func (b *builder) initFunctions() {
	for _, s := range b.decls {
		if s.Key == "" && s.Kind == cell.Func && s.Decl.Names[0].Name == "init" || s.Key == "main" {
			b.noteAltered(b.altered, effects.WithCalls(live{b}, s.Function.Summary))
		}
	}
}

// throughLinks adds the variables that share memory with a variable in alteredInside to alteredInside and to altered.
func (b *builder) throughLinks() {
	sets := append(b.table.Sharing[:len(b.table.Sharing):len(b.table.Sharing)], b.effects.Sharing...)
	for more := true; more; {
		more = false
		for _, set := range sets {
			if !slices.ContainsFunc(set, func(name string) bool { return b.alteredInside[name] }) {
				continue
			}
			for _, name := range set {
				if v := b.lookup(name); !b.alteredInside[name] && v != nil && !v.ChangesWhole {
					b.alteredInside[name], b.altered[name], more = true, true, true
				}
			}
		}
	}
}

// stmtValues finds the initial values of variables that statements declare. It uses
// the result of the shape pass. It adds to own the variables that have the same value in a child.
func (b *builder) stmtValues(own effects.Names) {
	sh := b.shape
	sc := b.newScan(sh.result, sh.in)
	for _, id := range sh.topVars {
		if obj := sh.result.Info.Defs[id]; obj != nil && b.vars[id.Name] != nil {
			sc.Variables[obj] = id.Name
		}
	}
	list := sh.entry.Body.List
	if len(list) < len(b.stmts) {
		return
	}
	for i, st := range b.stmts {
		values, declares := check.DeclaredValues(list[i])
		if !declares || !st.DeclaresAll() {
			b.alters(sc, list[i])
			continue
		}
		for _, x := range values {
			b.alters(sc, x)
		}
	}
	b.throughLinks()
	for i, st := range b.stmts {
		values, declares := check.DeclaredValues(list[i])
		if !declares || !st.DeclaresAll() || st.Embed != "" || st.Loop != nil || emit.AllBlank(st.Names) {
			continue
		}
		if !st.IsStatic {
			if !b.repeatable(sc, values, own) {
				continue
			}
			b.firstValues = append(b.firstValues, emit.FirstValue{Stmt: st, ErrorVars: b.mayHoldErrors(st.Names)})
		}
		for _, n := range st.Names {
			own.Add(n.Name)
		}
	}
}

// repeatable reports whether evaluating values in a child gives the same result. own
// are the variables of the cell that are known to have the same value there.
func (b *builder) repeatable(sc *effects.Analysis, values []ast.Expr, own effects.Names) bool {
	isSame := func(name string) bool {
		return (own[name] || b.vars[name] == nil && b.sameInChildren(name)) && !b.altered[name]
	}
	for _, x := range values {
		if !sc.Purity(x).IsRepeatable(live{b}, isSame) {
			return false
		}
	}
	return true
}

// alters records the variables that n changes, itself or through the functions that it calls.
func (b *builder) alters(sc *effects.Analysis, n ast.Node) {
	b.noteAltered(b.altered, effects.WithCalls(live{b}, sc.SummarizeCode(n)))
}

// noteAltered adds the variables that the summarized code changes. A variable with
// ChangesWhole, such as an error or a function, counts only if it is assigned to:
// it has no part that could change.
func (b *builder) noteAltered(out effects.Names, s effects.Summary) {
	out.Add(s.Assigned.Sorted()...)
	for name := range s.Inside {
		if v := b.lookup(name); v == nil || !v.ChangesWhole {
			out.Add(name)
			b.alteredInside.Add(name)
		}
	}
}

// specValues does what stmtValues does, for the specifications of a cell without statements. It visits them in the
// order in which Go initializes them.
func (b *builder) specValues(r *check.Result, sc *effects.Analysis, own effects.Names) {
	at := map[*emit.Spec][]int{}
	bySpec := map[*emit.Spec][]ast.Expr{}
	specOf := map[string]*emit.Spec{}
	for _, s := range b.specs {
		for _, n := range s.Names {
			specOf[n.Name] = s
		}
		if len(s.Var.Values) == 0 {
			for _, n := range s.Names {
				own.Add(n.Name)
			}
		}
	}
	for i, in := range r.Info.InitOrder {
		b.alters(sc, in.Rhs)
		for _, v := range in.Lhs {
			if s := specOf[sc.Variables[v]]; s != nil {
				at[s] = append(at[s], i)
				bySpec[s] = append(bySpec[s], in.Rhs)
				break
			}
		}
	}
	var order []*emit.Spec
	for _, s := range b.specs {
		if places := at[s]; len(places) > 0 && places[len(places)-1]-places[0] < len(places) {
			order = append(order, s)
		}
	}
	slices.SortFunc(order, func(x, y *emit.Spec) int { return cmp.Compare(at[x][0], at[y][0]) })
	for _, s := range order {
		if !b.repeatable(sc, bySpec[s], own) {
			continue
		}
		for _, n := range s.Names {
			own.Add(n.Name)
		}
		if !check.AreConstant(r, bySpec[s]) {
			b.firstValues = append(b.firstValues, emit.FirstValue{Spec: s, ErrorVars: b.mayHoldErrors(s.Names)})
		}
	}
}

// mayHoldErrors lists the variables whose type may hold an error.
func (b *builder) mayHoldErrors(list []cell.Ref) (out []string) {
	for _, n := range list {
		if v := b.vars[n.Name]; v != nil && v.MayHoldError {
			out = append(out, n.Name)
		}
	}
	return out
}

// describeInitial fills in u.Initial.
func (b *builder) describeInitial(u *Unit) {
	in := &u.Initial
	if len(b.firstValues) > 0 {
		in.Func = "main." + emit.InitialName(b.cell.N)
		u.Fresh = append(u.Fresh, in.Func)
	}
	for _, v := range b.vars {
		list := &in.Unknown
		if v.SameInChildren {
			list = &in.Known
		}
		*list = append(*list, "main."+v.GoName)
	}
	altered := effects.Names{}
	note := func(s *symtab.Symbol) { b.noteAltered(altered, s.Function.Summary) }
	for _, s := range b.table.Names {
		note(s)
	}
	for _, methods := range b.table.Methods {
		for _, s := range methods {
			note(s)
		}
	}
	for _, s := range b.decls {
		note(s)
	}
	for name := range b.table.Altered {
		if b.vars[name] == nil {
			altered.Add(name)
		}
	}
	altered.Add(b.altered.Sorted()...)
	for name := range altered {
		if s := b.lookup(name); s != nil && s.Kind == cell.Var {
			in.Altered = append(in.Altered, "main."+s.GoName)
		}
	}
	slices.Sort(in.Known)
	slices.Sort(in.Unknown)
	slices.Sort(in.Altered)
	u.changes.Altered, u.changes.Sharing = b.altered, b.effects.Sharing
}

// sameInChildren reports whether an older variable still has its initial value and
// has the same value in children.
func (b *builder) sameInChildren(name string) bool {
	s := b.table.Names[name]
	return s != nil && s.Kind == cell.Var && s.SameInChildren && !b.table.Altered[name]
}
