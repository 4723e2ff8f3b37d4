package program

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// noteEffects summarizes the effects of the functions whose bodies were checked, and then
// those of the cell.
func (b *builder) noteEffects(r *check.Result, in map[*symtab.Symbol]emit.Form) {
	sc := b.newScan(r, in)
	for _, f := range r.Files {
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok || fd.Body == nil || fd.Recv == nil && fd.Name.Name == emit.EntryName(b.cell.N) {
				continue
			}
			if owner := r.Owner(fd.Name.Pos()); owner != nil && owner.Kind == cell.Func {
				owner.Function = sc.Function(fd)
			}
		}
	}
	e := effects.Effects{Reads: b.needs(in)}
	var entry effects.Summary
	if fd := r.EntryDecl(emit.EntryName(b.cell.N)); fd != nil {
		entry = sc.Summarize(fd)
	}
	for _, s := range b.specs {
		initializers(sc, &entry, r, s)
	}
	for _, s := range b.decls {
		if s.IsInit() || s.Key == "main" {
			entry.Calls = append(entry.Calls, effects.Call{Key: s.Key})
		}
		e.Defines = append(e.Defines, s.Names()...)
	}
	declared := effects.Names{}
	for name := range b.vars {
		declared.Add(name)
	}
	effects.WithCalls(live{b}, entry).Settle(&e, declared, b.assigned())
	for _, s := range b.reset {
		e.Writes = append(e.Writes, s.Key)
	}
	slices.Sort(e.Writes)
	e.Writes = slices.Compact(e.Writes)
	b.effects = e
}

// assigned lists the variables that a statement at the top level of the cell assigns
// to, and that the statements name nowhere else.
func (b *builder) assigned() effects.Names {
	count := map[string]int{}
	first := effects.Names{}
	for _, st := range b.stmts {
		for _, r := range st.Refs {
			count[r.Name]++
		}
		for _, name := range st.Assigned {
			first.Add(name)
		}
	}
	out := effects.Names{}
	for name := range first {
		if count[name] == 1 {
			out.Add(name)
		}
	}
	return out
}

// needs lists the names of the notebook whose current meaning the cell depends on.
func (b *builder) needs(in map[*symtab.Symbol]emit.Form) []string {
	seen, fresh := effects.Names{}, effects.Names{}
	only := b.assigned()
	var todo []*symtab.Symbol
	add := func(s *symtab.Symbol) {
		if s == nil || seen[s.Key] || fresh[s.Key] {
			return
		}
		if s.Origin == b.origin {
			fresh.Add(s.Key)
		} else {
			seen.Add(s.Names()...)
		}
		todo = append(todo, s)
	}
	for _, s := range b.decls {
		add(s)
	}
	for _, v := range b.vars {
		todo = append(todo, v)
	}
	for _, st := range b.stmts {
		for _, r := range st.Refs {
			if !r.Top && b.stmtBindings[r.Name].Kind == symtab.InNotebook && !only[r.Name] {
				add(b.lookupBefore(r.Name))
			}
		}
	}
	for _, s := range b.specs {
		for _, r := range s.Source.Refs {
			if s.Owner.Bindings[r.Name].Kind == symtab.InNotebook {
				add(b.lookup(r.Name))
			}
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		s := todo[0]
		for _, name := range s.References() {
			add(b.lookup(name))
		}
		if s.Kind == cell.Type {
			for key := range b.table.Methods[s.Key] {
				add(b.lookup(key))
			}
		}
	}
	return seen.Sorted()
}

// newScan returns an analysis of a checked unit. in holds the older symbols in the unit.
func (b *builder) newScan(r *check.Result, in map[*symtab.Symbol]emit.Form) *effects.Analysis {
	variables, functions := map[types.Object]string{}, map[types.Object]string{}
	note := func(s *symtab.Symbol) {
		if s.Kind != cell.Var && s.Kind != cell.Func || s.Recv != "" {
			return
		}
		into := variables
		if s.Kind == cell.Func {
			into = functions
			if obj := r.Pkg.Scope().Lookup(emit.AliasName(s)); obj != nil {
				into[obj] = s.Key
			}
		}
		if obj := r.Pkg.Scope().Lookup(s.GoNameOf(s.Key)); obj != nil {
			into[obj] = s.Key
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
	return effects.NewAnalysis(live{b}, r.Info, r.Pkg, variables, functions)
}

// initializers adds the effects of the initializers of a variable specification to sum.
func initializers(sc *effects.Analysis, sum *effects.Summary, r *check.Result, s *emit.Spec) {
	for _, file := range r.Files {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || r.Owner(g.Pos()) != s.Owner && r.Owner(g.End()-1) != s.Owner {
				continue
			}
			sum.Merge(sc.SummarizeCode(g))
		}
	}
}

// live looks names up in the notebook as it is after the cell.
type live struct{ b *builder }

func (l live) Function(key string) *effects.Function {
	if s := l.b.lookup(key); s != nil && s.Kind == cell.Func {
		return &s.Function
	}
	return nil
}

func (l live) References(key string) (names []string, isVariable bool) {
	switch s := l.b.lookup(key); {
	case s == nil:
		return nil, false
	case s.Kind == cell.Var:
		return nil, true
	default:
		return s.References(), false
	}
}

func (l live) MethodsNamed(name string) []string {
	var out []string
	for _, m := range l.b.table.Methods {
		for key := range m {
			if strings.HasSuffix(key, "."+name) {
				out = append(out, key)
			}
		}
	}
	for key := range l.b.fresh {
		if strings.HasSuffix(key, "."+name) {
			out = append(out, key)
		}
	}
	return out
}
