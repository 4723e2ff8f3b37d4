package program

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

func (e *emitter) symbol(s *symtab.Symbol, fm form) {
	switch s.Kind {
	case cell.Func:
		e.function(s, fm)
	case cell.Type:
		f := e.file(s.Origin)
		all := cell.Span{End: len(s.Decl.Text)}
		edits := f.renames(s.Decl.Source, all, s.Bindings, e.b.lookup)
		f.put(s, "type", s.Decl.Source, all, "", append(e.nameEdits(s), edits...))
	case cell.Const:
		f := e.file(s.Origin)
		all := cell.Span{End: len(s.Decl.Text)}
		edits := f.renames(s.Decl.Source, all, s.Bindings, e.b.lookup)
		f.put(s, "", s.Decl.Source, all, "", append(e.nameEdits(s), edits...))
	case cell.Var:
		e.variable(s)
	}
}

// nameEdits give the declared names of s their generated form. Constants of a
// group that a newer declaration replaced become blank. They go before the edits
// of references: a declared name is one of those, too.
func (e *emitter) nameEdits(s *symtab.Symbol) []edit {
	var out []edit
	for _, n := range s.Decl.Names {
		text := n.Name
		switch {
		case s.IsOrderedInit():
			text = s.GoName
		case n.Name == "_" || s.Recv != "" || s.Key == "":
		case s.Kind == cell.Const && e.b.lookup(n.Name) != s:
			text = "_"
		default:
			text = e.b.nameIn(s, n.Name)
		}
		if text != n.Name {
			out = append(out, edit{n.Off, n.Off + len(n.Name), text})
		}
	}
	return out
}

func (e *emitter) function(s *symtab.Symbol, fm form) {
	f := e.file(s.Origin)
	d := s.Decl
	span := cell.Span{Start: 0, End: len(d.Text)}
	after := ""
	if s.IsLinknamed() {
		f.effects = append(f.effects, "unsafe")
	} else if fm == signature && d.Body >= 0 {
		span = cell.Span{Start: d.FuncEnd, End: d.Body}
		if d.Generic || s.IsInit() {
			after = "{ panic(0) }"
		}
	}
	before := s.Pragma
	if e.full[s] && !d.Generic && s.Recv != "" && e.b.lasts(s) {
		before += "\n//go:noinline"
	} else if e.full[s] && slices.Contains(e.b.followingIn(s), true) {
		before += "\n//go:noinline" // a copy would have literals of its own
	}
	edits := f.renames(d.Source, span, s.Bindings, e.b.lookup)
	f.put(s, before, d.Source, span, after, append(edits, e.nameEdits(s)...))
	if e.aliased(s) {
		e.alias(f, s)
	}
}

// alias declares a second name for a function of the unit, without body, for
// function literals.
func (e *emitter) alias(f *file, s *symtab.Symbol) {
	d := s.Decl
	f.effects = append(f.effects, "unsafe")
	span := cell.Span{Start: d.FuncEnd, End: d.Body}
	edits := f.renames(d.Source, span, s.Bindings, e.b.lookup)
	name := aliasName(s)
	own := edit{d.Names[0].Off, d.Names[0].Off + len(d.Names[0].Name), name}
	edits = append(cut(edits, own.start, own.end), own)
	f.put(s, fmt.Sprintf("//go:linkname %s main.%s", name, s.GoName), d.Source, span, "", edits)
}

func aliasName(s *symtab.Symbol) string { return s.Key + mangle.Mark + "a" }

// variable declares an older variable without initializer.
func (e *emitter) variable(s *symtab.Symbol) {
	name := e.b.nameIn(s, s.Key)
	if s.Type != nil {
		f := e.varFile()
		start := f.body.Len()
		if s.Pragma != "" {
			f.effects = append(f.effects, "unsafe")
			fmt.Fprintf(&f.body, "%s\n", s.Pragma)
		}
		fmt.Fprintf(&f.body, "var %s %s\n", name, f.typeText(s.Type))
		f.regions = append(f.regions, region{start, f.body.Len(), s})
		return
	}
	w := s.TypeExpr
	f := e.file(s.Origin)
	blanks := make([]string, w.Count)
	for i := range blanks {
		blanks[i] = "_"
	}
	blanks[w.Index] = name
	edits := f.renames(cell.Source{Text: w.Stmt.Text, Refs: w.Refs}, w.Span, w.Bindings, e.b.lookup)
	f.put(s, "var "+strings.Join(blanks, ", ")+" =", w.Stmt.Source, w.Span, "", edits)
}

func (f *file) typeText(t *typetext.Text) string {
	var b strings.Builder
	for _, p := range t.Parts {
		switch {
		case p.Path != "":
			b.WriteString(f.useOwn(p.Path))
		case p.Name != "":
			name := mangle.Name(p.Name)
			if s := f.e.b.lookup(p.Name); s != nil {
				name = f.e.b.nameIn(s, p.Name)
			}
			b.WriteString(name)
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// spec writes a variable specification of the cell at package level.
func (e *emitter) spec(s *spec) {
	f := e.file(s.owner.Origin)
	all := cell.Span{End: len(s.source.Text)}
	edits := f.renames(s.source, all, s.owner.Bindings, e.b.lookup)
	before := "var"
	for _, n := range s.names {
		if v := e.b.vars[n.Name]; v != nil {
			if v.Pragma != "" {
				f.effects = append(f.effects, "unsafe")
				before = v.Pragma + "\n" + before
			}
			if text := e.b.nameIn(v, n.Name); text != n.Name {
				edits = append(edits, edit{n.Off, n.Off + len(n.Name), text})
			}
		}
	}
	f.put(s.owner, before, s.source, all, "", dedupe(edits))
}

// dedupe drops edits of the same place.
func dedupe(edits []edit) []edit {
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].start < edits[j].start })
	var out []edit
	for _, ed := range edits {
		if n := len(out); n == 0 || out[n-1].start != ed.start {
			out = append(out, ed)
		}
	}
	return out
}

// newVars declares at package level the variables that statements make.
func (e *emitter) newVars() {
	if e.shape {
		return
	}
	for _, st := range e.b.stmts {
		if st.static {
			e.spec(&spec{source: st.Source, v: st.Var, names: st.Names, owner: &symtab.Symbol{Kind: cell.Var, Origin: e.b.o, Bindings: e.b.binds}})
			continue
		}
		for i, n := range st.Names {
			if v := e.b.vars[n.Name]; v != nil && st.New[i] {
				e.variable(v)
			}
		}
	}
}

// aliased reports whether function literals call s by its second name.
func (e *emitter) aliased(s *symtab.Symbol) bool {
	return e.full[s] && s.Recv == "" && s.Key != "" && !s.Decl.Generic && s.Decl.Body >= 0 && !s.IsLinknamed() && e.b.lasts(s)
}

// aliasedIn returns the function with a second name that r refers to, if it does.
func (e *emitter) aliasedIn(binds map[string]symtab.Binding, r cell.Ref, lookup func(string) *symtab.Symbol) *symtab.Symbol {
	if r.Key || binds[r.Name].Kind != symtab.InNotebook {
		return nil
	}
	if s := lookup(r.Name); s != nil && s.Kind == cell.Func && e.aliased(s) {
		return s
	}
	return nil
}
