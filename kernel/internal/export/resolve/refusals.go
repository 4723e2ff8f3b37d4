package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// Refuse records that a part of a cell cannot be exported, though it runs in a notebook.
func (b *Book) Refuse(s *Step, pos cell.Pos, format string, args ...any) {
	b.MayFail[s.Cell.N] = false
	b.Fail(s, pos, format, args...)
}

// Fail records that a part of a cell compiles neither in a notebook nor in a program. If the cell is tagged
// raises-exception, the program leaves it out.
func (b *Book) Fail(s *Step, pos cell.Pos, format string, args ...any) {
	e := &cell.Error{Cell: s.Cell.N, Pos: pos, Msg: fmt.Sprintf(format, args...), Source: cell.Line(s.Cell.Src, pos.Line)}
	if !slices.ContainsFunc(b.Errs, func(o *cell.Error) bool { return *o == *e }) {
		b.Errs = append(b.Errs, e)
	}
}

// check refuses code that does not behave in a program as in a cell.
func (b *Book) check() {
	for _, s := range b.Steps {
		for _, st := range s.Stmts {
			b.checkRefs(s, &st.Source)
			if st.Define >= 0 && !slices.Contains(st.New, true) {
				b.Fail(s, st.PosIn(st.Define), "no new variables on left side of := (= assigns to a variable that exists)")
			}
			for _, off := range st.Facts.Ends(s.Raises) {
				if s.Index < len(b.Steps)-1 || s.Raises {
					b.Refuse(s, st.PosIn(off), "in a notebook this call ends only the cell, but in a program it would end the program: use return")
				}
			}
		}
		for _, d := range s.Cell.Decls {
			b.checkRefs(s, &d.Source)
			if d.Nullary && strings.HasPrefix(d.Names[0].Name, "Example") && source.HasMisplacedOutput(d) {
				b.Refuse(s, d.Pos, "the output comment of %s must be its last comment", d.Names[0].Name)
			}
		}
	}
}

func (b *Book) checkRefs(s *Step, src *cell.Source) {
	for _, r := range src.Refs {
		if name, _, ok := strings.Cut(r.Name, "["); ok && b.Tables[s.Index][name] == nil && b.Lookup(s.Index, r) == (Target{}) {
			b.Fail(s, src.PosIn(r.Off), "%s does not refer to an earlier cell if the cells run from the first to the last", r.Name)
		}
	}
}

// checkDispatch finds functions whose body changes while values may still refer to them: methods, and the functions that
// were found before.
func (b *Book) checkDispatch() {
	for _, f := range b.Functions {
		used := f.Bodies()
		if len(used) < 2 {
			f.Dispatch = false
			continue
		}
		if f.First.Decl.Recv != "" {
			f.Dispatch = true
		}
		if f.Dispatch && b.UsesProcesses() {
			second := used[1]
			b.Refuse(b.Steps[second.Entity.Step], second.Entity.Decl.Pos, "%s is declared again while child processes may use it: give the new declaration another name", f.Name)
		}
	}
}

// checkResets refuses variables whose type changes without a new declaration, which resets them.
func (b *Book) checkResets() {
	for _, e := range b.Entities(cell.Var) {
		first, last := b.Life(e)
		for k := first + 1; k <= last; k++ {
			for _, x := range e.Variable().types {
				now := b.Tables[k][x.Entity.Name]
				if now == nil || now.Kind != cell.Type || b.InstanceAt(now, k) == x {
					continue
				}
				if b.usedAt(e, k) {
					b.Refuse(b.Steps[now.Step], now.Decl.Pos, "%s gets its zero value here, since its type %s changes: declare the variable again in this cell", e.Name, now.Name)
					return
				}
			}
		}
	}
}

// usedAt reports whether a statement or a used function refers to a variable at or after step k.
func (b *Book) usedAt(e *Entity, k int) bool {
	for _, s := range b.Steps[k:] {
		for _, st := range s.Stmts {
			for _, r := range st.Refs {
				if b.LookupIn(st, r).Entity == e {
					return true
				}
			}
		}
	}
	for _, f := range b.Functions {
		for _, in := range f.Bodies() {
			for j := range in.steps {
				for _, r := range in.Entity.Decl.Refs {
					if j >= k && b.Lookup(j, r).Entity == e {
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
func (b *Book) checkMethods(isDynamic func(method string) bool) {
	for _, e := range b.Entities(cell.Func) {
		if e.Decl.Recv == "" || e.Step == 0 || b.Tables[e.Step-1][e.Name] != nil {
			continue
		}
		name := e.Decl.Names[0].Name
		old := b.Tables[e.Step-1][e.Decl.Recv]
		if old == nil || old.Kind != cell.Type || b.Tables[e.Step][e.Decl.Recv] != old || !isDynamic(name) {
			continue
		}
		if where := b.typeUsedBefore(old, e.Step); where != nil {
			b.Refuse(b.Steps[e.Step], e.Decl.Pos, "the method %s is declared after %s has used the type %s, and would change what that cell does: declare the method in the cell of the type",
				name, cell.Name(where.Cell.N), old.Name)
		}
	}
}

// typeUsedBefore returns a step before k whose statements use a type or a variable of it.
func (b *Book) typeUsedBefore(e *Entity, k int) *Step {
	seen := map[string]bool{}
	var uses func(j int, refs []cell.Ref) bool
	uses = func(j int, refs []cell.Ref) bool {
		for _, r := range refs {
			t := b.Lookup(j, r).Entity
			if t == nil {
				continue
			}
			if t == e || t.Kind == cell.Var && slices.ContainsFunc(t.Variable().types, func(x *Instance) bool { return x.Entity == e }) {
				return true
			}
			if key := fmt.Sprint(j, t.id, r.Name); t.Decl != nil && !seen[key] {
				seen[key] = true
				if uses(j, t.Decl.Refs) {
					return true
				}
			}
		}
		return false
	}
	for _, s := range b.Steps[:k] {
		for _, st := range s.Stmts {
			if uses(s.Index, st.Refs) {
				return s
			}
		}
	}
	return nil
}
