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
)

// A section is a function of the program: the statements of the cells below a heading.
type section struct {
	name    string
	heading string
	doc     string
	steps   []*step
}

// divide puts the steps into sections.
func (b *book) divide() {
	for _, s := range b.steps {
		if len(s.stmts) == 0 && len(s.inits) == 0 && len(s.comments) == 0 && len(s.before) == 0 && s.mainFunction(b) == nil {
			continue
		}
		n := len(b.sections)
		if n > 0 && !s.alone && !s.raises {
			last := b.sections[n-1]
			if before := last.steps[len(last.steps)-1]; before.heading == s.heading && !before.alone && !before.raises && !before.params {
				last.steps = append(last.steps, s)
				continue
			}
		}
		b.sections = append(b.sections, &section{heading: s.heading, doc: s.doc, steps: []*step{s}})
	}
	b.sectionOf = map[int]*section{}
	for _, s := range b.sections {
		for _, st := range s.steps {
			b.sectionOf[st.index] = s
		}
	}
}

// nameAll chooses the names of the program.
func (b *book) nameAll() {
	b.scopes()
	names := naming.NewSet("main", "init", "_", "try")
	for name := range b.usedUniverse {
		names.Taken[name] = true
	}
	b.nameImports(names)
	for _, x := range b.all {
		b.nameInstance(x, names)
	}
	for _, f := range b.functions {
		b.nameFunction(f, names)
	}
	b.nameChanging(names)
	b.nameWatches(names)
	locals := map[*section]*naming.Set{}
	vars := b.entities(cell.Var)
	for _, global := range []bool{true, false} {
		for _, e := range vars {
			if e.same != nil || !e.used || e.global != global {
				continue
			}
			if global {
				e.goName = names.Pick(e.goBase(), b.idents)
				continue
			}
			if locals[e.scope] == nil {
				locals[e.scope] = names.Clone()
			}
			e.goName = locals[e.scope].Pick(e.goBase(), b.idents)
		}
	}
	for i, s := range b.sections {
		if b.isEmpty(s) {
			continue
		}
		s.name = names.Pick(naming.Function(s.heading, i), b.idents)
	}
	b.nameExamples(names)
	if b.usesCtx {
		b.ctxName = names.Pick("ctx", b.idents)
	}
}

// isEmpty reports whether a section only declares variables that get their initial values at package
// level.
func (b *book) isEmpty(s *section) bool {
	return !slices.ContainsFunc(s.steps, func(s *step) bool {
		return len(s.inits)+len(s.before)+len(s.comments) > 0 || s.mainFunction(b) != nil ||
			slices.ContainsFunc(s.stmts, func(st *stmt) bool { return !b.isReady(st) || !b.declaresGlobals(st) })
	})
}

// scopes decides which variables are local: those that only the statements of one section use.
func (b *book) scopes() {
	users := map[*entity]map[*section]bool{}
	use := func(e *entity, s *section) {
		v := e.variable()
		if users[v] == nil {
			users[v] = map[*section]bool{}
		}
		users[v][s] = true
	}
	b.usedUniverse = map[string]bool{}
	note := func(t target, r cell.Ref, s *section) {
		switch {
		case t.isMember:
			b.importAs(t.path, b.pkgs.Name(t.path))
		case t.path != "" && r.Name == cell.FlagPackage:
			b.importAs("flag", "flag")
		case t.path != "":
			b.importAs(t.path, r.Name)
		case t.entity != nil && t.entity.kind == cell.Var:
			use(t.entity, s)
		case t.entity == nil && t.path == "" && types.Universe.Lookup(r.Name) != nil:
			b.usedUniverse[r.Name] = true
		}
	}
	for _, s := range b.steps {
		for _, st := range s.stmts {
			for _, r := range st.Refs {
				note(b.lookupIn(st, r), r, b.sectionOf[s.index])
			}
		}
		for _, d := range s.inits {
			for _, r := range d.Refs {
				note(b.lookup(s.index, r), r, nil)
			}
		}
	}
	for _, x := range b.all {
		if x.used {
			for _, r := range x.entity.decl.Refs {
				note(b.lookup(x.step, r), r, nil)
			}
		}
	}
	for _, e := range b.entities(cell.Var) {
		if e.same != nil {
			continue
		}
		e.scope = b.sectionOf[e.step]
		for s := range users[e] {
			e.inFunction = e.inFunction || s == nil
			e.global = e.global || s != e.scope
		}
		e.global = e.global || b.promoted[e] || b.steps[e.step].params || e.stmt.Embed != "" || len(b.sections) > 1 && e.scope.hasRaises()
	}
}

func (s *section) hasRaises() bool {
	return slices.ContainsFunc(s.steps, func(s *step) bool { return s.raises })
}

// nameImports names the packages as the notebook does. Two packages with one name get different ones.
func (b *book) nameImports(names *naming.Set) {
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
				full = names.Pick(parent+name, b.idents)
			}
			names.Taken[full] = true
			b.importNames[[2]string{p, name}] = full
		}
	}
}

// declaresAtTop reports whether the program declares a name of the notebook at package level.
func (b *book) declaresAtTop(name string) bool {
	for _, table := range b.tables {
		if e := table[name]; e != nil && e.kind != cell.Import {
			return true
		}
	}
	return false
}

func (b *book) nameInstance(x *instance, names *naming.Set) {
	if !x.used || x.entity.kind == cell.Func {
		return
	}
	x.goName = names.Pick(x.entity.name, b.idents)
}

func (b *book) nameFunction(f *function, names *naming.Set) {
	used := f.bodies()
	d := f.first.decl
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
			return names.Pick(name, b.idents)
		}
		full := name
		for i := 2; full != d.Names[0].Name && (b.idents[full] || names.Methods[full]); i++ { // a field or method has this name
			full = fmt.Sprint(name, "_", i)
		}
		names.Methods[full] = full != d.Names[0].Name
		return full
	}
	switch {
	case f.dispatch:
		f.goName = pick(name)
		base := name
		if method {
			base = strings.ToLower(d.Recv[:1]) + d.Recv[1:] + strings.ToUpper(name[:1]) + name[1:]
		}
		f.version = names.Pick(base+"Version", b.idents)
		for i, in := range used {
			in.goName = pick(fmt.Sprint(name, i+1))
		}
	default:
		for _, in := range used {
			in.goName = pick(name)
		}
	}
}

// nameExamples gives names to example functions that go vet accepts.
func (b *book) nameExamples(names *naming.Set) {
	isDeclared := func(name string) bool { return names.Taken[name] && types.Universe.Lookup(name) == nil }
	for _, in := range b.all {
		if name := in.goName; in.used && strings.HasPrefix(name, "Example") && b.isTest(in) {
			valid := naming.Example(name, isDeclared, func(t, m string) bool { return b.groups[b.tables[len(b.tables)-1][t+"."+m]] != nil })
			if valid != name {
				in.goName = names.Pick(valid, b.idents)
			}
		}
	}
}
