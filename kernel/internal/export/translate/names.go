package translate

import (
	"fmt"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/naming"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
)

// A section is a function of the program: the statements of the cells below a heading.
type section struct {
	name    string
	heading string
	doc     string
	steps   []*resolve.Step
}

// divide puts the steps into sections.
func (b *translation) divide() {
	for _, s := range b.Steps {
		if len(s.Stmts) == 0 && len(s.Inits) == 0 && len(b.comments[s]) == 0 && len(b.before[s]) == 0 && b.MainFunction(s) == nil {
			continue
		}
		n := len(b.sections)
		if n > 0 && !s.Alone && !s.Raises {
			last := b.sections[n-1]
			if before := last.steps[len(last.steps)-1]; before.Heading == s.Heading && !before.Alone && !before.Raises && !before.Params {
				last.steps = append(last.steps, s)
				continue
			}
		}
		b.sections = append(b.sections, &section{heading: s.Heading, doc: s.Doc, steps: []*resolve.Step{s}})
	}
	b.sectionOf = map[int]*section{}
	for _, s := range b.sections {
		for _, st := range s.steps {
			b.sectionOf[st.Index] = s
		}
	}
}

// nameAll chooses the names of the program.
func (b *translation) nameAll() {
	b.scopes()
	names := naming.NewSet("main", "init", "_", "try")
	for name := range b.usedUniverse {
		names.Taken[name] = true
	}
	b.nameImports(names)
	for _, x := range b.All {
		b.nameInstance(x, names)
	}
	for _, f := range b.Functions {
		b.nameFunction(f, names)
	}
	b.nameChanging(names)
	b.nameWatches(names)
	locals := map[*section]*naming.Set{}
	vars := b.Entities(cell.Var)
	for _, global := range []bool{true, false} {
		for _, e := range vars {
			if e.Same != nil || !e.Used || b.isGlobal[e] != global {
				continue
			}
			if global {
				e.GoName = names.Pick(e.GoBase(), b.Idents)
				continue
			}
			if locals[b.scope[e]] == nil {
				locals[b.scope[e]] = names.Clone()
			}
			e.GoName = locals[b.scope[e]].Pick(e.GoBase(), b.Idents)
		}
	}
	for i, s := range b.sections {
		if b.isEmpty(s) {
			continue
		}
		s.name = names.Pick(naming.Function(s.heading, i), b.Idents)
	}
	b.nameExamples(names)
	if b.UsesCtx {
		b.ctxName = names.Pick("ctx", b.Idents)
	}
}

// isEmpty reports whether a section only declares variables that get their initial values at package
// level.
func (b *translation) isEmpty(s *section) bool {
	return !slices.ContainsFunc(s.steps, func(s *resolve.Step) bool {
		return len(s.Inits)+len(b.before[s])+len(b.comments[s]) > 0 || b.MainFunction(s) != nil ||
			slices.ContainsFunc(s.Stmts, func(st *resolve.Stmt) bool { return !b.isReady(st) || !b.declaresGlobals(st) })
	})
}

// scopes decides which variables are local: those that only the statements of one section use.
func (b *translation) scopes() {
	users := map[*resolve.Entity]map[*section]bool{}
	use := func(e *resolve.Entity, s *section) {
		v := e.Variable()
		if users[v] == nil {
			users[v] = map[*section]bool{}
		}
		users[v][s] = true
	}
	b.usedUniverse = map[string]bool{}
	note := func(t resolve.Target, r cell.Ref, s *section) {
		switch {
		case t.IsMember:
			b.importAs(t.Path, b.Pkgs.Name(t.Path))
		case t.Path != "" && r.Name == cell.FlagPackage:
			b.importAs("flag", "flag")
		case t.Path != "":
			b.importAs(t.Path, r.Name)
		case t.Entity != nil && t.Entity.Kind == cell.Var:
			use(t.Entity, s)
		case t.Entity == nil && t.Path == "" && types.Universe.Lookup(r.Name) != nil:
			b.usedUniverse[r.Name] = true
		}
	}
	for _, s := range b.Steps {
		for _, st := range s.Stmts {
			for _, r := range st.Refs {
				note(b.LookupIn(st, r), r, b.sectionOf[s.Index])
			}
		}
		for _, d := range s.Inits {
			for _, r := range d.Refs {
				note(b.Lookup(s.Index, r), r, nil)
			}
		}
	}
	for _, x := range b.All {
		if x.Used {
			for _, r := range x.Entity.Decl.Refs {
				note(b.Lookup(x.Step, r), r, nil)
			}
		}
	}
	for _, e := range b.Entities(cell.Var) {
		if e.Same != nil {
			continue
		}
		b.scope[e] = b.sectionOf[e.Step]
		for s := range users[e] {
			b.inFunction[e] = b.inFunction[e] || s == nil
			b.isGlobal[e] = b.isGlobal[e] || s != b.scope[e]
		}
		b.isGlobal[e] = b.isGlobal[e] || b.promoted[e] || b.Steps[e.Step].Params || e.Stmt.Embed != "" || len(b.sections) > 1 && b.scope[e].hasRaises()
	}
}

func (s *section) hasRaises() bool {
	return slices.ContainsFunc(s.steps, func(s *resolve.Step) bool { return s.Raises })
}

// nameImports names the packages as the notebook does. Two packages with the same name get different
// names.
func (b *translation) nameImports(names *naming.Set) {
	for _, p := range sortedKeys(b.packages) {
		for _, name := range sortedKeys(b.packages[p]) {
			if name == "_" {
				continue
			}
			full := name
			if names.Taken[name] || b.declaresAtTop(name) {
				parent := path.Base(path.Dir(p))
				if path.Dir(p) == "." || !token.IsIdentifier(parent) {
					parent = "go"
				}
				full = names.Pick(parent+name, b.Idents)
			}
			names.Taken[full] = true
			b.importNames[[2]string{p, name}] = full
		}
	}
}

// declaresAtTop reports whether the program declares a name of the notebook at package level.
func (b *translation) declaresAtTop(name string) bool {
	for _, table := range b.Tables {
		if e := table[name]; e != nil && e.Kind != cell.Import {
			return true
		}
	}
	return false
}

func (b *translation) nameInstance(x *resolve.Instance, names *naming.Set) {
	if !x.Used || x.Entity.Kind == cell.Func {
		return
	}
	x.GoName = names.Pick(x.Entity.Name, b.Idents)
}

func (b *translation) nameFunction(f *resolve.Function, names *naming.Set) {
	used := f.Bodies()
	d := f.First.Decl
	name := d.Names[0].Name
	if len(used) == 0 || name == "_" {
		return
	}
	method := d.Recv != ""
	if name == "main" && !method {
		name = "run"
	}
	pick := func(name string) string {
		if !method {
			return names.Pick(name, b.Idents)
		}
		full := name
		for i := 2; full != d.Names[0].Name && (b.Idents[full] || names.Methods[full]); i++ { // a field or method has this name
			full = fmt.Sprint(name, "_", i)
		}
		names.Methods[full] = full != d.Names[0].Name
		return full
	}
	switch {
	case f.Dispatch:
		f.GoName = pick(name)
		base := name
		if method {
			base = strings.ToLower(d.Recv[:1]) + d.Recv[1:] + strings.ToUpper(name[:1]) + name[1:]
		}
		f.Version = names.Pick(base+"Version", b.Idents)
		for i, in := range used {
			in.GoName = pick(fmt.Sprint(name, i+1))
		}
	default:
		for _, in := range used {
			in.GoName = pick(name)
		}
	}
}

// nameExamples gives names to example functions that go vet accepts.
func (b *translation) nameExamples(names *naming.Set) {
	isDeclared := func(name string) bool { return names.Taken[name] && types.Universe.Lookup(name) == nil }
	for _, in := range b.All {
		if name := in.GoName; in.Used && strings.HasPrefix(name, "Example") && b.isTest(in) {
			valid := naming.Example(name, isDeclared, func(t, m string) bool { return b.Groups[b.Tables[len(b.Tables)-1][t+"."+m]] != nil })
			if valid != name {
				in.GoName = names.Pick(valid, b.Idents)
			}
		}
	}
}
