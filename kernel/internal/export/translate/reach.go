package translate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/gomodule"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A reacher finds what the statements of all steps use, and at which steps.
type reacher struct {
	b       *book
	seen    map[visit]bool
	meaning map[site]*instance // of a name at a place in the program
	methods map[string][]*entity
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
func (b *book) reach() {
	r := &reacher{b: b, seen: map[visit]bool{}, meaning: map[site]*instance{}, methods: map[string][]*entity{}}
	for _, e := range b.entities(cell.Func) {
		if e.decl.Recv != "" {
			r.methods[e.decl.Recv] = append(r.methods[e.decl.Recv], e)
		}
	}
	for _, s := range b.steps {
		for _, d := range s.inits {
			f := b.factsOf(d)
			r.source(&d.Source, f, s.index, d, func(ref cell.Ref, k int) target { return b.lookup(k, ref) }, s)
		}
		if e := s.mainFunction(b); e != nil {
			r.function(e, s.index)
		}
		for _, st := range s.stmts {
			r.source(&st.Source, st.facts, s.index, st, func(ref cell.Ref, k int) target {
				if k == s.index {
					return b.lookupIn(st, ref)
				}
				return b.lookup(k, ref)
			}, s)
		}
	}
	r.newest()
	for _, x := range b.all {
		if x.used && x.entity.kind == cell.Func { // at other steps the functions that it calls may have other bodies
			x.step = slices.Min(slices.Collect(maps.Keys(x.steps)))
		}
	}
}

// newest marks the last meanings of all declarations: they are exported even if nothing uses them.
func (r *reacher) newest() {
	last := len(r.b.steps) - 1
	if last < 0 {
		return
	}
	for _, name := range sortedKeys(r.b.tables[last]) {
		e := r.b.tables[last][name]
		if e.kind != cell.Import && !strings.HasPrefix(name, "init ") {
			r.target(target{entity: e}, last, false)
		}
	}
}

// source visits the names that a source uses at step k. in is the statement or instance of the source.
func (r *reacher) source(src *cell.Source, f *source.Facts, k int, in any, resolve func(cell.Ref, int) target, s *step) {
	last := len(r.b.steps) - 1
	for _, ref := range src.Refs {
		t := resolve(ref, k)
		if ref.Key && t.entity == nil {
			continue
		}
		isFunc := t.entity != nil && t.entity.kind == cell.Func
		kept := f.IsStarted(ref.Off) || src.InLiteral(ref.Off) || isFunc && !f.Called[ref.Off]
		r.note(site{in, ref.Off}, t, k)
		r.target(t, k, kept)
		if t.entity != nil && t.entity.kind == cell.Const {
			r.constant(src, f, ref, k, in, s)
			continue
		}
		if !kept || t.entity == nil {
			continue
		}
		for j := k + 1; j <= last; j++ {
			later := r.b.lookup(j, ref)
			if later.entity == nil || later.entity.kind == cell.Var || t.entity.kind == cell.Var {
				continue
			}
			if isFunc && later.entity.kind == cell.Func && r.b.groupAt(later.entity, j) == r.b.groupAt(t.entity, k) {
				r.note(site{in, ref.Off}, later, j)
			} else if r.b.identity(j, later) != r.b.identity(k, t) && !source.Captures(src, ref.Off) {
				r.b.refuse(s, src.PosIn(ref.Off), "%s changes in %s, and this function may run after that: give the new one another name",
					ref.Name, cell.Name(r.b.steps[j].cell.N))
				break
			}
		}
	}
}

// constant visits the later values of a constant that a function literal uses: it follows them.
func (r *reacher) constant(src *cell.Source, f *source.Facts, ref cell.Ref, k int, in any, s *step) {
	last := len(r.b.steps) - 1
	x, inFunction := in.(*instance)
	if inFunction {
		_, last = r.b.life(x.entity)
	}
	if !f.Follows(src, ref.Off, inFunction) {
		return
	}
	for j := k + 1; j <= last; j++ {
		now := r.b.constantAt(ref.Name, j)
		switch {
		case now == r.b.constantAt(ref.Name, k):
		case now == nil && r.b.lookup(j, ref).entity != nil && r.b.lookup(j, ref).entity.kind == cell.Var:
			return
		case now == nil || r.b.usesProcesses() || f.IsInside(f.LiteralAt(ref.Off)):
			r.b.refuse(s, src.PosIn(ref.Off), "%s changes in %s, and this function may run after that: give the new one another name",
				ref.Name, cell.Name(r.b.steps[j].cell.N))
			return
		default:
			r.b.follow(ref.Name)
			r.instance(now, j)
		}
	}
}

// note notes which body a name means. If one place of the program means several, a variable must select the body.
func (r *reacher) note(at site, t target, k int) {
	if t.entity == nil || t.entity.kind != cell.Func {
		return
	}
	in := r.b.instanceAt(t.entity, k)
	if old := r.meaning[at]; old != nil && old != in && old.function == in.function {
		in.function.dispatch = true
	}
	r.meaning[at] = in
}

// target visits what a name means at step k. kept says that the value may be used at later steps.
func (r *reacher) target(t target, k int, kept bool) {
	e := t.entity
	if e == nil {
		r.b.usesCtx = r.b.usesCtx || t.ctx
		return
	}
	switch e.kind {
	case cell.Var:
		e.variable().used = true
		e.used = true
		for _, x := range e.variable().types {
			r.instance(x, k)
		}
	case cell.Func:
		r.function(e, k)
		for j := k + 1; kept && j < len(r.b.steps); j++ {
			if later := r.b.tables[j][e.name]; later != nil && later.kind == cell.Func {
				r.function(later, j)
			}
		}
	default:
		r.instance(r.b.instanceAt(e, k), k)
	}
}

func (r *reacher) function(e *entity, k int) {
	in := r.b.instanceAt(e, k)
	in.used, in.steps[k] = true, true
	if v := (visit{in, k, false}); r.seen[v] {
		return
	} else {
		r.seen[v] = true
	}
	r.source(&e.decl.Source, e.fact, k, in, func(ref cell.Ref, k int) target { return r.b.lookup(k, ref) }, r.b.steps[e.step])
}

// instance visits a type or constant.
func (r *reacher) instance(x *instance, k int) {
	x.used = true
	if v := (visit{x, k, false}); r.seen[v] {
		return
	} else {
		r.seen[v] = true
	}
	e := x.entity
	for _, ref := range e.decl.Refs {
		if !ref.Key {
			r.target(r.b.lookup(x.step, ref), x.step, false)
		}
	}
	if e.kind != cell.Type {
		return
	}
	for _, m := range r.methods[e.name] {
		first, last := r.b.life(m)
		for j := max(first, k); j <= last; j++ {
			if r.b.instanceAt(e, j) == x && r.b.tables[j][e.name] == e {
				r.function(m, j)
			}
		}
	}
}

// checkDispatch finds functions whose body changes while values may still refer to them: methods, and those found before.
func (b *book) checkDispatch() {
	for _, f := range b.functions {
		used := f.bodies()
		if len(used) < 2 {
			f.dispatch = false
			continue
		}
		if f.first.decl.Recv != "" {
			f.dispatch = true
		}
		if f.dispatch && b.usesProcesses() {
			second := used[1]
			b.refuse(b.steps[second.entity.step], second.entity.decl.Pos, "%s is declared again while child processes may use it: give it another name", f.name)
		}
	}
}

// bodies lists the instances of a function that are used.
func (f *function) bodies() []*instance {
	var list []*instance
	for _, in := range f.instances {
		if in.used {
			list = append(list, in)
		}
	}
	return list
}

// usesProcesses reports whether the notebook imports the library that starts child processes.
func (b *book) usesProcesses() bool {
	for _, s := range b.steps {
		for _, im := range s.cell.Imports {
			if strings.HasPrefix(im.Path, libraryModule+"/lib/mp") || strings.HasPrefix(im.Path, libraryModule+"/lib/speedup") {
				return true
			}
		}
	}
	return false
}

const libraryModule = gomodule.LibraryModule

// checkResets refuses variables whose type changes without a new declaration, which resets them.
func (b *book) checkResets() {
	for _, e := range b.entities(cell.Var) {
		first, last := b.life(e)
		for k := first + 1; k <= last; k++ {
			for _, x := range e.variable().types {
				now := b.tables[k][x.entity.name]
				if now == nil || now.kind != cell.Type || b.instanceAt(now, k) == x {
					continue
				}
				if b.usedAt(e, k) {
					b.refuse(b.steps[now.step], now.decl.Pos, "%s is reset here, since its type %s changes: declare it again in this cell", e.name, now.name)
					return
				}
			}
		}
	}
}

// usedAt reports whether a statement or a used function refers to a variable at or after step k.
func (b *book) usedAt(e *entity, k int) bool {
	for _, s := range b.steps[k:] {
		for _, st := range s.stmts {
			for _, r := range st.Refs {
				if b.lookupIn(st, r).entity == e {
					return true
				}
			}
		}
	}
	for _, f := range b.functions {
		for _, in := range f.bodies() {
			for j := range in.steps {
				for _, r := range in.entity.decl.Refs {
					if j >= k && b.lookup(j, r).entity == e {
						return true
					}
				}
			}
		}
	}
	return false
}

// checkMethods refuses methods that are declared after values of their type have been used, if a package may look for
// the method: the values of a program have it from the beginning.
func (b *book) checkMethods(isDynamic func(method string) bool) {
	for _, e := range b.entities(cell.Func) {
		if e.decl.Recv == "" || e.step == 0 || b.tables[e.step-1][e.name] != nil {
			continue
		}
		name := e.decl.Names[0].Name
		old := b.tables[e.step-1][e.decl.Recv]
		if old == nil || old.kind != cell.Type || b.tables[e.step][e.decl.Recv] != old || !isDynamic(name) {
			continue
		}
		if where := b.typeUsedBefore(old, e.step); where != nil {
			b.refuse(b.steps[e.step], e.decl.Pos, "the method %s is declared after %s has used the type %s, and would change what that cell does: declare it in the cell of the type",
				name, cell.Name(where.cell.N), old.name)
		}
	}
}

// typeUsedBefore returns a step before k whose statements use a type or a variable of it.
func (b *book) typeUsedBefore(e *entity, k int) *step {
	seen := map[string]bool{}
	var uses func(j int, refs []cell.Ref) bool
	uses = func(j int, refs []cell.Ref) bool {
		for _, r := range refs {
			t := b.lookup(j, r).entity
			if t == nil {
				continue
			}
			if t == e || t.kind == cell.Var && slices.ContainsFunc(t.variable().types, func(x *instance) bool { return x.entity == e }) {
				return true
			}
			if key := fmt.Sprint(j, t.id, r.Name); t.decl != nil && !seen[key] {
				seen[key] = true
				if uses(j, t.decl.Refs) {
					return true
				}
			}
		}
		return false
	}
	for _, s := range b.steps[:k] {
		for _, st := range s.stmts {
			if uses(s.index, st.Refs) {
				return s
			}
		}
	}
	return nil
}
