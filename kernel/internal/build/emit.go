package build

import (
	"fmt"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// Names of generated functions.
const (
	showName     = "show" + mangleMark
	showErrName  = "showerror" + mangleMark
	showRuneName = "showrune" + mangleMark
	discardName  = "discard" + mangleMark
)

// A form says how much of a symbol a unit needs.
type form uint8

const (
	signature form = iota // a function without body: it is loaded, or not needed yet
	full
)

// An emitter writes the Go files of a unit: one per cell that a declaration
// comes from, each with the imports that cell meant, and one for variables.
type emitter struct {
	b       *builder
	shape   bool // the first pass: statements as written, no bodies
	files   map[*origin]*file
	order   []*file
	vars    *file
	taken   map[string]bool // names at package level
	helpers map[string]bool
	full    map[*symbol]bool // functions that the unit has with their bodies
	paths   map[string]bool  // all imported
}

func (b *builder) newEmitter(shape bool, in map[*symbol]form) *emitter {
	e := &emitter{
		b: b, shape: shape,
		files:   map[*origin]*file{},
		taken:   map[string]bool{},
		helpers: map[string]bool{},
		full:    map[*symbol]bool{},
		paths:   map[string]bool{},
	}
	for s := range in {
		if s.recv == "" {
			for _, n := range s.names() {
				e.taken[b.nameIn(s, n)] = true
			}
		}
	}
	for _, s := range b.vars {
		e.taken[b.nameIn(s, s.key)] = true
	}
	return e
}

// emitUnit writes all files. in holds the symbols that the unit needs.
func (b *builder) emitUnit(shape bool, in map[*symbol]form) *emitter {
	e := b.newEmitter(shape, in)
	if !shape {
		e.noteBodies(in)
	}
	list := make([]*symbol, 0, len(in))
	for s := range in {
		list = append(list, s)
	}
	sortSymbols(list)
	for _, s := range list {
		if v := b.vars[s.key]; !shape && s.kind == cell.Var && v != nil && v.ename == s.ename {
			continue // the cell assigns to this very variable and declares it
		}
		f := in[s]
		if shape && s.kind == cell.Func && b.backBy[s.key] == s {
			f = signature // its body may need what the cell's statements declare
		}
		e.symbol(s, f)
	}
	for _, s := range b.decls {
		f := full
		if shape {
			f = signature
		}
		e.symbol(s, f)
	}
	for _, s := range b.specs {
		e.spec(s)
	}
	if !shape {
		e.wrappers(b.redone(b.older()))
	}
	e.newVars()
	e.entry()
	e.finish()
	if b.p.cfg.Solo != "" && !shape {
		e.solo()
	}
	return e
}

// noteBodies learns which functions come with bodies, and what their literals call.
func (e *emitter) noteBodies(in map[*symbol]form) {
	for s, f := range in {
		if s.kind == cell.Func && f == full {
			e.full[s] = true
			e.b.noteLasting(&s.decl.Source)
		}
	}
	for _, s := range e.b.decls {
		if s.kind == cell.Func {
			e.full[s] = true
		}
	}
}

func (e *emitter) file(o *origin) *file {
	f := e.files[o]
	if f == nil {
		f = &file{e: e, origin: o, aliases: map[string]string{}, name: fmt.Sprintf("cell%d_%d.go", o.n, len(e.order))}
		e.files[o] = f
		e.order = append(e.order, f)
	}
	return f
}

func (e *emitter) symbol(s *symbol, fm form) {
	switch s.kind {
	case cell.Func:
		e.function(s, fm)
	case cell.Type:
		f := e.file(s.origin)
		all := cell.Span{End: len(s.decl.Text)}
		edits := f.renames(s.decl.Source, all, s.binds, e.b.lookup)
		f.put(s, "type", s.decl.Source, all, "", append(edits, e.nameEdits(s)...))
	case cell.Const:
		f := e.file(s.origin)
		all := cell.Span{End: len(s.decl.Text)}
		edits := f.renames(s.decl.Source, all, s.binds, e.b.lookup)
		f.put(s, "", s.decl.Source, all, "", append(edits, e.nameEdits(s)...))
	case cell.Var:
		e.variable(s)
	}
}

// nameEdits give the declared names of s their generated form. Constants of a
// group that a newer declaration replaced become blank.
func (e *emitter) nameEdits(s *symbol) []edit {
	var out []edit
	for _, n := range s.decl.Names {
		text := n.Name
		switch {
		case n.Name == "_" || s.recv != "" || s.key == "":
		case s.kind == cell.Const && e.b.lookup(n.Name) != s:
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

func (e *emitter) function(s *symbol, fm form) {
	f := e.file(s.origin)
	d := s.decl
	span := cell.Span{Start: 0, End: len(d.Text)}
	after := ""
	if s.linknamed() {
		f.effects = append(f.effects, "unsafe")
	} else if fm == signature && d.Body >= 0 {
		span = cell.Span{Start: d.FuncEnd, End: d.Body}
		if d.Generic || s.key == "" && d.Names[0].Name == "init" {
			after = "{ for {} }"
		}
	}
	before := s.pragma
	if e.full[s] && !d.Generic && s.recv != "" && e.b.lasts(s) {
		before += "\n//go:noinline"
	}
	edits := f.renames(d.Source, span, s.binds, e.b.lookup)
	if span.Start == 0 && span.End == len(d.Text) {
		edits = append(edits, e.slowDefersIn("package p\n", d.Text, "")...)
	}
	f.put(s, before, d.Source, span, after, append(edits, e.nameEdits(s)...))
	if e.aliased(s) {
		e.alias(f, s)
	}
}

// linknamed reports whether the function's symbol may have a name of the user's.
func (s *symbol) linknamed() bool {
	return s.pragma != "" || strings.Contains(s.decl.Text[:s.decl.FuncEnd], "//go:linkname")
}

// alias declares a second name for a function of the unit, without body, for
// function literals.
func (e *emitter) alias(f *file, s *symbol) {
	d := s.decl
	f.effects = append(f.effects, "unsafe")
	span := cell.Span{Start: d.FuncEnd, End: d.Body}
	edits := f.renames(d.Source, span, s.binds, e.b.lookup)
	name := aliasName(s)
	own := edit{d.Names[0].Off, d.Names[0].Off + len(d.Names[0].Name), name}
	edits = append(cut(edits, own.start, own.end), own)
	f.put(s, fmt.Sprintf("//go:linkname %s main.%s", name, s.ename), d.Source, span, "", edits)
}

func aliasName(s *symbol) string { return s.key + mangleMark + "a" }

// variable declares an older variable without initializer.
func (e *emitter) variable(s *symbol) {
	name := e.b.nameIn(s, s.key)
	if s.typ != nil {
		f := e.varFile()
		start := f.body.Len()
		if s.pragma != "" {
			f.effects = append(f.effects, "unsafe")
			fmt.Fprintf(&f.body, "%s\n", s.pragma)
		}
		fmt.Fprintf(&f.body, "var %s %s\n", name, f.typeText(s.typ))
		f.regions = append(f.regions, region{start, f.body.Len(), s})
		return
	}
	w := s.witness
	f := e.file(s.origin)
	blanks := make([]string, w.count)
	for i := range blanks {
		blanks[i] = "_"
	}
	blanks[w.index] = name
	edits := f.renames(cell.Source{Text: w.stmt.Text, Refs: w.refs}, w.span, w.binds, e.b.lookup)
	f.put(s, "var "+strings.Join(blanks, ", ")+" =", w.stmt.Source, w.span, "", edits)
}

func (f *file) typeText(t *typeText) string {
	var b strings.Builder
	for _, p := range t.parts {
		switch {
		case p.path != "":
			b.WriteString(f.use(packageName(p.path), p.path))
		case p.name != "":
			name := mangle(p.name)
			if s := f.e.b.lookup(p.name); s != nil {
				name = f.e.b.nameIn(s, p.name)
			}
			b.WriteString(name)
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// spec writes a variable specification of the cell at package level.
func (e *emitter) spec(s *spec) {
	f := e.file(s.owner.origin)
	all := cell.Span{End: len(s.source.Text)}
	edits := f.renames(s.source, all, s.owner.binds, e.b.lookup)
	before := "var"
	for _, n := range s.names {
		if v := e.b.vars[n.Name]; v != nil {
			if v.pragma != "" {
				f.effects = append(f.effects, "unsafe")
				before = v.pragma + "\n" + before
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
			e.spec(&spec{source: st.Source, v: st.Var, names: st.Names, owner: &symbol{kind: cell.Var, origin: e.b.o, binds: e.b.binds}})
			continue
		}
		for i, n := range st.Names {
			if v := e.b.vars[n.Name]; v != nil && st.New[i] {
				e.variable(v)
			}
		}
	}
}

// entry writes the function that runs the cell's statements.
func (e *emitter) entry() {
	if len(e.b.stmts) == 0 {
		return
	}
	f := e.file(e.b.o)
	fmt.Fprintf(&f.body, "\nfunc %s() {\n", e.b.entryName())
	if !e.shape && e.b.entryNeedsSlowDefers() {
		e.helpers[neverName] = true
		f.body.WriteString(slowDefers + "\n")
	}
	timed := e.b.c.Timed && !e.shape
	if timed {
		e.helpers[startName], e.helpers[stopName] = true, true
		f.body.WriteString(startName + "()\n")
	}
	for _, st := range e.b.stmts {
		e.stmt(f, st)
	}
	if m := e.b.fresh["main"]; m != nil && m.kind == cell.Func {
		f.body.WriteString("main()\n")
	}
	if timed {
		f.body.WriteString(stopName + "()\n")
	}
	f.body.WriteString("}\n")
}

func (b *builder) entryName() string { return fmt.Sprintf("cell%s%d", mangleMark, b.c.N) }

func (e *emitter) stmt(f *file, st *stmt) {
	if st.static && !e.shape {
		if before, after := e.timing(st, ""); before+after != "" {
			e.file(e.b.o).body.WriteString(before + after + "\n")
		}
		return
	}
	lookup := func(name string) *symbol { return e.b.lookupBefore(name) }
	all := cell.Span{End: len(st.Text)}
	var edits []edit
	dropped := e.droppedPart(st)
	for _, r := range st.Refs {
		if r.Off >= dropped.Start && r.Off < dropped.End {
			continue
		}
		text := r.Name
		if !e.shape && st.declares() && r.Off >= st.Var.NamesEnd && r.Off < st.Var.ValueStart {
			continue // the type, which stands with the variable's declaration: nothing here needs its package
		}
		switch {
		case r.Top && e.shape:
		case r.Top && !r.Key:
			text = e.b.nameIn(e.b.vars[r.Name], r.Name)
		case !r.Top && st.InLiteral(r.Off) && e.aliasedIn(e.b.before, r, lookup) != nil:
			text = aliasName(e.aliasedIn(e.b.before, r, lookup))
		case !r.Top && r.Name == contextIdent && e.derives(st):
			text = f.context()
		case !r.Top:
			text = f.rename(r, e.b.before, lookup)
		}
		if text != r.Name {
			edits = append(edits, edit{r.Off, r.Off + len(r.Name), text})
		}
	}
	before := ""
	if st.Var != nil && e.shape {
		before = "var"
	}
	if !e.shape {
		switch v := st.Var; {
		case v != nil && !st.declares():
			before = "var"
		case st.Embed != "":
			edits = e.embedEdits(st, edits)
		case v != nil:
			edits = append(cut(edits, v.NamesEnd, v.ValueStart), edit{v.NamesEnd, v.ValueStart, " = "})
		case st.Define >= 0:
			edits = append(edits, edit{st.Define, st.Define + 2, "="})
		}
	}
	if st.show != plain {
		name := map[showMode]string{discard: discardName, show: showName, showError: showErrName, showRune: showRuneName}[st.show]
		e.helpers[name] = true
		edits = append([]edit{{st.Expr.Start, st.Expr.Start, name + "("}}, edits...)
		edits = append(edits, edit{st.Expr.End, st.Expr.End, ")"})
	}
	edits = append(edits, e.slowDefersIn("package p; func _() {\n", st.Text, "\n}")...)
	before, after := e.timing(st, before)
	f.put(nil, before, st.Source, all, after, append(e.repeat(f, st), edits...))
}

// droppedPart is what of a variable specification is not written where it gets
// its value: the type, which may be all that mentions a package.
func (e *emitter) droppedPart(st *stmt) cell.Span {
	switch v := st.Var; {
	case e.shape || v == nil || v.TypeEnd > 0 && allBlank(st.Names):
		return cell.Span{}
	case st.Embed != "":
		return cell.Span{Start: v.NamesEnd, End: len(st.Text)}
	default:
		return cell.Span{Start: v.NamesEnd, End: v.ValueStart}
	}
}

// aliased reports whether function literals call s by its second name.
func (e *emitter) aliased(s *symbol) bool {
	return e.full[s] && s.recv == "" && s.key != "" && !s.decl.Generic && s.decl.Body >= 0 && !s.linknamed() && e.b.lasts(s)
}

// aliasedIn returns the function with a second name that r refers to, if it does.
func (e *emitter) aliasedIn(binds map[string]binding, r cell.Ref, lookup func(string) *symbol) *symbol {
	if r.Key || binds[r.Name].kind != notebook {
		return nil
	}
	if s := lookup(r.Name); s != nil && s.kind == cell.Func && e.aliased(s) {
		return s
	}
	return nil
}

// declares reports whether a var statement's names are declared elsewhere, so
// that it is left with the assignment.
func (st *stmt) declares() bool {
	return st.Var != nil && !(st.Var.TypeEnd > 0 && allBlank(st.Names))
}

func allBlank(names []cell.Ref) bool {
	for _, n := range names {
		if n.Name != "_" {
			return false
		}
	}
	return true
}

func (e *emitter) finish() {
	if len(e.order) == 0 && len(e.b.blanks)+len(e.b.p.blanks) == 0 {
		return
	}
	f := e.file(e.b.o)
	for _, path := range append(e.b.blanks[:len(e.b.blanks):len(e.b.blanks)], e.b.p.blanks...) {
		f.effects = append(f.effects, path)
		e.paths[path] = true
	}
	link := func(local, remote, sig string) {
		if e.helpers[local] {
			f.effects = append(f.effects, "unsafe")
			fmt.Fprintf(&f.body, "\n//go:linkname %s %s.%s\nfunc %s%s\n", local, e.b.p.cfg.RuntimePackage, remote, local, sig)
		}
	}
	link(showName, "Show", "(...interface{})")
	link(showErrName, "ShowError", "(error)")
	link(showRuneName, "ShowRune", "(rune)")
	link(startName, "Start", "()")
	link(stopName, "Stop", "()")
	link(repeatName, "Repeat", "(loops, runs int) int")
	e.contextHelper(f)
	link(embedName, "Embed", "(interface{}, string)")
	if e.helpers[neverName] {
		fmt.Fprintf(&f.body, "\nvar %s bool\n", neverName)
	}
	if e.helpers[discardName] || e.helpers[neverName] {
		fmt.Fprintf(&f.body, "\nfunc %s(...interface{}) {}\n", discardName)
	}
}
