package resolve

import (
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/gomodule"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A reacher finds what the statements of all steps use, and at which steps.
type reacher struct {
	b       *Book
	seen    map[visit]bool
	meaning map[site]*Instance // of a name at a place in the program
	methods map[string][]*Entity
}

// A visit is a use of a source at a step.
type visit struct {
	what any // *instance or *stmt
	step int
	kept bool
}

// A site is one use of a name: in a statement, or in the body of a function.
type site struct {
	in  any // *stmt or *instance
	off int
}

// reach marks the instances that are used.
func (b *Book) reach() {
	r := &reacher{b: b, seen: map[visit]bool{}, meaning: map[site]*Instance{}, methods: map[string][]*Entity{}}
	for _, e := range b.Entities(cell.Func) {
		if e.Decl.Recv != "" {
			r.methods[e.Decl.Recv] = append(r.methods[e.Decl.Recv], e)
		}
	}
	for _, s := range b.Steps {
		for _, d := range s.Inits {
			f := b.factsOf(d)
			r.source(&d.Source, f, s.Index, d, func(ref cell.Ref, k int) Target { return b.Lookup(k, ref) }, s)
		}
		if e := b.MainFunction(s); e != nil {
			r.function(e, s.Index)
		}
		for _, st := range s.Stmts {
			r.source(&st.Source, st.Facts, s.Index, st, func(ref cell.Ref, k int) Target {
				if k == s.Index {
					return b.LookupIn(st, ref)
				}
				return b.Lookup(k, ref)
			}, s)
		}
	}
	r.newest()
	for _, x := range b.All {
		if x.Used && x.Entity.Kind == cell.Func { // at other steps the functions that it calls may have other bodies
			x.Step = slices.Min(slices.Collect(maps.Keys(x.steps)))
		}
	}
}

// newest marks the last meanings of all declarations: they are exported even if nothing uses them.
func (r *reacher) newest() {
	last := len(r.b.Steps) - 1
	if last < 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.b.Tables[last])) {
		e := r.b.Tables[last][name]
		if e.Kind != cell.Import && !strings.HasPrefix(name, "init ") {
			r.target(Target{Entity: e}, last, false)
		}
	}
}

// source visits the names that a source uses at step k. in is the statement or instance of the source.
func (r *reacher) source(src *cell.Source, f *source.Facts, k int, in any, resolve func(cell.Ref, int) Target, s *Step) {
	last := len(r.b.Steps) - 1
	for _, ref := range src.Refs {
		t := resolve(ref, k)
		if ref.Key && t.Entity == nil {
			continue
		}
		isFunc := t.Entity != nil && t.Entity.Kind == cell.Func
		kept := f.IsStarted(ref.Off) || src.InLiteral(ref.Off) || isFunc && !f.Called[ref.Off]
		r.note(site{in, ref.Off}, t, k)
		r.target(t, k, kept)
		if t.Entity != nil && t.Entity.Kind == cell.Const {
			r.constant(src, f, ref, k, in, s)
			continue
		}
		if !kept || t.Entity == nil {
			continue
		}
		for j := k + 1; j <= last; j++ {
			later := r.b.Lookup(j, ref)
			if later.Entity == nil || later.Entity.Kind == cell.Var || t.Entity.Kind == cell.Var {
				continue
			}
			if isFunc && later.Entity.Kind == cell.Func && r.b.GroupAt(later.Entity, j) == r.b.GroupAt(t.Entity, k) {
				r.note(site{in, ref.Off}, later, j)
			} else if r.b.identity(j, later) != r.b.identity(k, t) && !source.Captures(src, ref.Off) {
				r.b.Refuse(s, src.PosIn(ref.Off), "%s is declared again in %s, and this function may run after that: give the new declaration another name",
					ref.Name, cell.Name(r.b.Steps[j].Cell.N))
				break
			}
		}
	}
}

// constant visits the later values of a constant that a function literal uses, since the
// literal uses each of them in turn.
func (r *reacher) constant(src *cell.Source, f *source.Facts, ref cell.Ref, k int, in any, s *Step) {
	last := len(r.b.Steps) - 1
	x, inFunction := in.(*Instance)
	if inFunction {
		_, last = r.b.Life(x.Entity)
	}
	if !f.Follows(src, ref.Off, inFunction) {
		return
	}
	for j := k + 1; j <= last; j++ {
		now := r.b.ConstantAt(ref.Name, j)
		switch {
		case now == r.b.ConstantAt(ref.Name, k):
		case now == nil && r.b.Lookup(j, ref).Entity != nil && r.b.Lookup(j, ref).Entity.Kind == cell.Var:
			return
		case now == nil || r.b.UsesProcesses() || f.IsInside(f.LiteralAt(ref.Off)):
			r.b.Refuse(s, src.PosIn(ref.Off), "%s is declared again in %s, and this function may run after that: give the new declaration another name",
				ref.Name, cell.Name(r.b.Steps[j].Cell.N))
			return
		case r.inType(src, f.LiteralAt(ref.Off), k, j) != nil:
			inType := r.inType(src, f.LiteralAt(ref.Off), k, j)
			r.b.Refuse(s, src.PosIn(inType.Off), "%s is declared again in %s, and the type of this function literal uses it: give the new declaration another name",
				inType.Name, cell.Name(r.b.Steps[j].Cell.N))
			return
		default:
			r.b.follow(ref.Name)
			r.instance(now, j)
		}
	}
}

// inType returns a constant in the type of a function literal that has another value at step j than at step k, or nil. In a notebook such a
// literal keeps its code, also if other constants change later.
func (r *reacher) inType(src *cell.Source, l *source.Literal, k, j int) *cell.Ref {
	for i, ref := range src.Refs {
		if ref.Off >= l.Start && ref.Off < l.Lbrace && r.b.ConstantAt(ref.Name, k) != nil && r.b.ConstantAt(ref.Name, j) != r.b.ConstantAt(ref.Name, k) {
			return &src.Refs[i]
		}
	}
	return nil
}

// note notes which body a name means. If one place of the program means several, a variable must select the body.
func (r *reacher) note(at site, t Target, k int) {
	if t.Entity == nil || t.Entity.Kind != cell.Func {
		return
	}
	in := r.b.InstanceAt(t.Entity, k)
	if old := r.meaning[at]; old != nil && old != in && old.Function == in.Function {
		in.Function.Dispatch = true
	}
	r.meaning[at] = in
}

// target visits what a name means at step k. kept says that the value may be used at later steps.
func (r *reacher) target(t Target, k int, kept bool) {
	e := t.Entity
	if e == nil {
		r.b.UsesCtx = r.b.UsesCtx || t.Ctx
		return
	}
	switch e.Kind {
	case cell.Var:
		e.Variable().Used = true
		e.Used = true
		for _, x := range e.Variable().types {
			r.instance(x, k)
		}
	case cell.Func:
		r.function(e, k)
		for j := k + 1; kept && j < len(r.b.Steps); j++ {
			if later := r.b.Tables[j][e.Name]; later != nil && later.Kind == cell.Func {
				r.function(later, j)
			}
		}
	default:
		r.instance(r.b.InstanceAt(e, k), k)
	}
}

func (r *reacher) function(e *Entity, k int) {
	in := r.b.InstanceAt(e, k)
	in.Used, in.steps[k] = true, true
	if v := (visit{in, k, false}); r.seen[v] {
		return
	} else {
		r.seen[v] = true
	}
	r.source(&e.Decl.Source, e.Fact, k, in, func(ref cell.Ref, k int) Target { return r.b.Lookup(k, ref) }, r.b.Steps[e.Step])
}

// instance visits a type or constant.
func (r *reacher) instance(x *Instance, k int) {
	x.Used = true
	if v := (visit{x, k, false}); r.seen[v] {
		return
	} else {
		r.seen[v] = true
	}
	e := x.Entity
	for _, ref := range e.Decl.Refs {
		if !ref.Key {
			r.target(r.b.Lookup(x.Step, ref), x.Step, false)
		}
	}
	if e.Kind != cell.Type {
		return
	}
	for _, m := range r.methods[e.Name] {
		first, last := r.b.Life(m)
		for j := max(first, k); j <= last; j++ {
			if r.b.InstanceAt(e, j) == x && r.b.Tables[j][e.Name] == e {
				r.function(m, j)
			}
		}
	}
}

// UsesProcesses reports whether the notebook imports the library that starts child processes.
func (b *Book) UsesProcesses() bool {
	for _, s := range b.Steps {
		for _, im := range s.Cell.Imports {
			if strings.HasPrefix(im.Path, LibraryModule+"/lib/mp") || strings.HasPrefix(im.Path, LibraryModule+"/lib/speedup") {
				return true
			}
		}
	}
	return false
}

// The module of this project's library, and its package for displays.
const (
	LibraryModule  = gomodule.LibraryModule
	DisplayPackage = LibraryModule + "/lib/display"
)
