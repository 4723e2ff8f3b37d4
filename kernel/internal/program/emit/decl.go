package emit

import (
	"fmt"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

func (e *Emitter) symbol(s *symtab.Symbol, fm Form) {
	switch s.Kind {
	case cell.Func:
		e.function(s, fm)
	case cell.Type:
		f := e.file(s.Origin)
		all := cell.Span{End: len(s.Decl.Text)}
		edits := f.renames(s.Decl.Source, all, s.Bindings, e.in.Scope.Lookup)
		f.put(s, "type", s.Decl.Source, all, "", append(e.nameEdits(s), edits...))
	case cell.Const:
		f := e.file(s.Origin)
		all := cell.Span{End: len(s.Decl.Text)}
		edits := f.renames(s.Decl.Source, all, s.Bindings, e.in.Scope.Lookup)
		f.put(s, "", s.Decl.Source, all, "", append(e.nameEdits(s), edits...))
	case cell.Var:
		e.variable(s)
	}
}

// nameEdits returns the edits that replace the declared names of s by their generated names. Constants of a
// group that a newer declaration has replaced become blank. These edits must precede the edits
// of references, since a declared name is also a reference.
func (e *Emitter) nameEdits(s *symtab.Symbol) []edit {
	var out []edit
	for _, n := range s.Decl.Names {
		text := n.Name
		switch {
		case s.IsOrderedInit():
			text = s.GoName
		case n.Name == "_" || s.Recv != "" || s.Key == "":
		case s.Kind == cell.Const && e.in.Scope.Lookup(n.Name) != s:
			text = "_"
		default:
			text = s.GoNameOf(n.Name)
		}
		if text != n.Name {
			out = append(out, edit{n.Off, n.Off + len(n.Name), text})
		}
	}
	return out
}

func (e *Emitter) function(s *symtab.Symbol, fm Form) {
	f := e.file(s.Origin)
	d := s.Decl
	span := cell.Span{Start: 0, End: len(d.Text)}
	after := ""
	if s.IsLinknamed() {
		f.BlankImports = append(f.BlankImports, "unsafe")
	} else if fm == Signature && d.Body >= 0 {
		span = cell.Span{Start: d.FuncEnd, End: d.Body}
		if d.Generic || s.IsInit() {
			after = "{ panic(0) }"
		}
	}
	before := s.Pragma
	if e.full[s] && !d.Generic && s.Recv != "" && e.in.Scope.MayOutlive(s) {
		before += "\n//go:noinline"
	} else if e.full[s] && e.in.Scope.HasFollowers(s) {
		before += "\n//go:noinline" // an inlined copy would have separate literals
	}
	edits := f.renames(d.Source, span, s.Bindings, e.in.Scope.Lookup)
	f.put(s, before, d.Source, span, after, append(edits, e.nameEdits(s)...))
	if e.aliased(s) {
		e.alias(f, s)
	}
}

// alias declares a second name for a function of the unit, without body. Function literals call
// it by that name, so that the compiler cannot inline it into them.
func (e *Emitter) alias(f *File, s *symtab.Symbol) {
	d := s.Decl
	f.BlankImports = append(f.BlankImports, "unsafe")
	span := cell.Span{Start: d.FuncEnd, End: d.Body}
	edits := f.renames(d.Source, span, s.Bindings, e.in.Scope.Lookup)
	name := AliasName(s)
	own := edit{d.Names[0].Off, d.Names[0].Off + len(d.Names[0].Name), name}
	edits = append(cut(edits, own.start, own.end), own)
	f.put(s, fmt.Sprintf("//go:linkname %s main.%s", name, s.GoName), d.Source, span, "", edits)
}

// AliasName returns the second name of a function of the unit. Function literals call the function by that name, so
// that the compiler cannot inline it into them.
func AliasName(s *symtab.Symbol) string { return s.Key + mangle.Mark + "a" }

// variable declares an older variable without initializer.
func (e *Emitter) variable(s *symtab.Symbol) {
	name := s.GoNameOf(s.Key)
	if s.Type != nil {
		f := e.varFile()
		start := f.body.Len()
		if s.Pragma != "" {
			f.BlankImports = append(f.BlankImports, "unsafe")
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
	edits := f.renames(cell.Source{Text: w.Stmt.Text, Refs: w.Refs}, w.Span, w.Bindings, e.in.Scope.Lookup)
	f.put(s, "var "+strings.Join(blanks, ", ")+" =", w.Stmt.Source, w.Span, "", edits)
}

func (f *File) typeText(t *typetext.Text) string {
	var b strings.Builder
	for _, p := range t.Parts {
		switch {
		case p.Path != "":
			b.WriteString(f.useOwn(p.Path))
		case p.Name != "":
			name := mangle.Name(p.Name)
			if s := f.e.in.Scope.Lookup(p.Name); s != nil {
				name = s.GoNameOf(p.Name)
			}
			b.WriteString(name)
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// spec writes a variable specification of the cell at package level.
func (e *Emitter) spec(s *Spec) {
	f := e.file(s.Owner.Origin)
	all := cell.Span{End: len(s.Source.Text)}
	edits := f.renames(s.Source, all, s.Owner.Bindings, e.in.Scope.Lookup)
	before := "var"
	for _, n := range s.Names {
		if v := e.in.Vars[n.Name]; v != nil {
			if v.Pragma != "" {
				f.BlankImports = append(f.BlankImports, "unsafe")
				before = v.Pragma + "\n" + before
			}
			if text := v.GoNameOf(n.Name); text != n.Name {
				edits = append(edits, edit{n.Off, n.Off + len(n.Name), text})
			}
		}
	}
	f.put(s.Owner, before, s.Source, all, "", dedupe(edits))
}

// dedupe sorts edits and keeps only the first one of each position.
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

// newVars declares at package level the variables that statements declare.
func (e *Emitter) newVars() {
	if e.in.IsShape {
		return
	}
	for _, st := range e.in.Stmts {
		if st.IsStatic {
			e.spec(&Spec{Source: st.Source, Var: st.Var, Names: st.Names, Owner: &symtab.Symbol{Kind: cell.Var, Origin: e.in.Origin, Bindings: e.in.Bindings}})
			continue
		}
		for i, n := range st.Names {
			if v := e.in.Vars[n.Name]; v != nil && st.New[i] {
				e.variable(v)
			}
		}
	}
}

// aliased reports whether function literals call s by its second name; see alias.
func (e *Emitter) aliased(s *symtab.Symbol) bool {
	return e.full[s] && s.Recv == "" && s.Key != "" && !s.Decl.Generic && s.Decl.Body >= 0 && !s.IsLinknamed() && e.in.Scope.MayOutlive(s)
}

// aliasedIn returns the function that r refers to if that function has a second name, else nil.
func (e *Emitter) aliasedIn(binds map[string]symtab.Binding, r cell.Ref, lookup func(string) *symtab.Symbol) *symtab.Symbol {
	if r.Key || binds[r.Name].Kind != symtab.InNotebook {
		return nil
	}
	if s := lookup(r.Name); s != nil && s.Kind == cell.Func && e.aliased(s) {
		return s
	}
	return nil
}
