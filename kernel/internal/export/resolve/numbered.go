package resolve

import (
	"go/types"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// isNumbered reports whether a reference is to the value or the text of a cell: Out[3] or In[3]. The name Out or In at the
// same place is another reference.
func isNumbered(r cell.Ref) bool { return strings.Contains(r.Name, "[") }

// GoBase returns the name that the variable has in the program if no other has it.
func (e *Entity) GoBase() string {
	if e.isResult {
		return "out" + strings.Trim(e.Name, "Out[]")
	}
	return e.Name
}

// noteNumbered notes the cells whose values are used.
func (b *Book) noteNumbered(refs []cell.Ref) {
	for _, r := range refs {
		if isNumbered(r) {
			b.numbered[r.Name] = true
		}
	}
}

// bindResult declares the variable for the value of a cell, if another cell uses it.
func (b *Book) bindResult(s *Step, add func(*Entity)) {
	name := "Out[" + strconv.Itoa(s.Cell.N) + "]"
	for _, st := range s.Stmts {
		if st.IsResult() && (b.numbered[name] || s.isMeasured()) && !s.Cell.HideResult {
			add(&Entity{Name: name, Kind: cell.Var, Stmt: st, isResult: true, Used: s.isMeasured()})
		}
	}
}

// findNumbered returns the meaning of Out[3] or In[3].
func (b *Book) findNumbered(table map[string]*Entity, k int, r cell.Ref) Target {
	name, number, _ := strings.Cut(strings.TrimSuffix(r.Name, "]"), "[")
	if table[name] != nil {
		return Target{}
	}
	for _, s := range b.Steps[:k] {
		if name == "In" && strconv.Itoa(s.Cell.N) == number {
			return Target{Text: source.Quote(s.Cell.Src)}
		}
	}
	return Target{Entity: table[r.Name]}
}

// ResultVariable returns the variable for the value of a statement, or nil if no code uses it.
func (b *Book) ResultVariable(st *Stmt) *Entity {
	e := b.Tables[st.Step.Index]["Out["+strconv.Itoa(st.Step.Cell.N)+"]"]
	if e != nil && e.isResult && e.Stmt == st && e.Used {
		return e
	}
	return nil
}

// HasError reports whether t is the type of a call with a value and an error.
func HasError(t types.Type) bool {
	tuple, ok := t.(*types.Tuple)
	return ok && tuple.Len() == 2 && types.Identical(tuple.At(1).Type(), types.Universe.Lookup("error").Type())
}

// result writes a declaration from which the type checker infers the type of a cell's value. If a call has several values, it is the first one's.
func (in *inference) result(e *Entity) {
	text := rewrite(&e.Stmt.Source, e.Stmt.Expr.Start, e.Stmt.Expr.End, func(r cell.Ref) Target { return in.b.LookupIn(e.Stmt, r) }, in.name(e.Stmt.Step.Index), nil)
	if !in.hasFirst {
		in.text.WriteString("func firstʹ[T any](x T, more ...any) T { return x }\n")
		in.hasFirst = true
	}
	in.text.WriteString("var " + inferredName(e) + " = firstʹ(" + text + ")\n")
}
