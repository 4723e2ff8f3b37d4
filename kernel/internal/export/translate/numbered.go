package translate

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

// goBase returns the name that the variable has in the program if no other has it.
func (e *entity) goBase() string {
	if e.isResult {
		return "out" + strings.Trim(e.name, "Out[]")
	}
	return e.name
}

// noteNumbered notes the cells whose values are used.
func (b *book) noteNumbered(refs []cell.Ref) {
	for _, r := range refs {
		if isNumbered(r) {
			b.numbered[r.Name] = true
		}
	}
}

// bindResult declares the variable for the value of a cell, if another cell uses it.
func (b *book) bindResult(s *step, add func(*entity)) {
	name := "Out[" + strconv.Itoa(s.cell.N) + "]"
	for _, st := range s.stmts {
		if b.isResult(st) && (b.numbered[name] || s.isMeasured()) && !s.cell.HideResult {
			add(&entity{name: name, kind: cell.Var, stmt: st, isResult: true, used: s.isMeasured()})
		}
	}
}

// findNumbered returns the meaning of Out[3] or In[3].
func (b *book) findNumbered(table map[string]*entity, k int, r cell.Ref) target {
	name, number, _ := strings.Cut(strings.TrimSuffix(r.Name, "]"), "[")
	if table[name] != nil {
		return target{}
	}
	for _, s := range b.steps[:k] {
		if name == "In" && strconv.Itoa(s.cell.N) == number {
			return target{text: source.Quote(s.cell.Src)}
		}
	}
	return target{entity: table[r.Name]}
}

// resultVariable returns the variable for the value of a statement, or nil if no code uses it.
func (b *book) resultVariable(st *stmt) *entity {
	e := b.tables[st.step.index]["Out["+strconv.Itoa(st.step.cell.N)+"]"]
	if e != nil && e.isResult && e.stmt == st && e.used {
		return e
	}
	return nil
}

// keepResult writes the assignment of a cell's value to its variable, and returns the list of variables to show in place of the expression. If
// the expression is a call with a value and an error, the list includes a variable for the error.
func (f *file) keepResult(st *stmt, e *entity) string {
	names, op := e.goName, ":="
	if f.b.withError[st] {
		names += ", " + e.goName + "Err"
	}
	if e.global {
		op = "="
		if f.b.withError[st] {
			f.printf("var %sErr error\n", e.goName)
		}
	}
	f.printf("%s %s ", names, op)
	f.copyStmt(st).write(st.Expr.Start, st.Expr.End, nil)
	f.printf("\n")
	return names
}

// hasError reports whether t is the type of a call with a value and an error.
func hasError(t types.Type) bool {
	tuple, ok := t.(*types.Tuple)
	return ok && tuple.Len() == 2 && types.Identical(tuple.At(1).Type(), types.Universe.Lookup("error").Type())
}

// result writes a declaration from which the type checker infers the type of a cell's value. If a call has several values, it is the first one's.
func (in *inference) result(e *entity) {
	text := rewrite(&e.stmt.Source, e.stmt.Expr.Start, e.stmt.Expr.End, func(r cell.Ref) target { return in.b.lookupIn(e.stmt, r) }, in.name(e.stmt.step.index), nil)
	if !in.hasFirst {
		in.text.WriteString("func firstʹ[T any](x T, more ...any) T { return x }\n")
		in.hasFirst = true
	}
	in.text.WriteString("var " + inferredName(e) + " = firstʹ(" + text + ")\n")
}
