package resolve

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// isNumbered reports whether a reference is to the value or the text of a cell: Out[3] or In[3]. The name Out or In at the
// same place is another reference.
func isNumbered(r cell.Ref) bool { return strings.Contains(r.Name, "[") }

// GoBase returns the name for the variable in the program, unless another declaration has that name.
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

// hasError reports whether t is the type of a call with a value and an error.
func hasError(t types.Type) bool {
	tuple, ok := t.(*types.Tuple)
	return ok && tuple.Len() == 2 && types.Identical(tuple.At(1).Type(), types.Universe.Lookup("error").Type())
}

// countValues sets how many values the cells have, from the calls that result has written.
func (in *inference) countValues(e *Entity, file *ast.File, info *types.Info) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || len(g.Specs) != 1 {
			continue
		}
		spec, ok := g.Specs[0].(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != inferredName(e) {
			continue
		}
		args := spec.Values[0].(*ast.CallExpr).Args
		e.Values = len(args)
		if tuple, ok := info.Types[args[0]].Type.(*types.Tuple); ok && len(args) == 1 {
			e.Values, e.WithErr = tuple.Len(), hasError(tuple)
		}
	}
}

// checkNumbered refuses uses of Out[3] if cell 3 has several values.
func (b *Book) checkNumbered() {
	for _, s := range b.Steps {
		for _, src := range s.Sources() {
			for _, r := range src.Refs {
				if e := b.Lookup(s.Index, r).Entity; isNumbered(r) && e != nil && e.Values > 1 && !e.WithErr {
					b.Fail(s, src.PosIn(r.Off), "%s is not one value, since %s shows %d values: assign them to variables", r.Name, cell.Name(e.Stmt.Step.Cell.N), e.Values)
				}
			}
		}
	}
}

// result writes a declaration from which the type checker infers the type of a cell's value. If a call has several
// values, the type is that of the first value.
func (in *inference) result(e *Entity) {
	text := rewrite(&e.Stmt.Source, e.Stmt.Expr.Start, e.Stmt.Expr.End, func(r cell.Ref) Target { return in.b.LookupIn(e.Stmt, r) }, in.name(e.Stmt.Step.Index), nil)
	if !in.hasFirst {
		in.text.WriteString("func firstʹ[T any](x T, more ...any) T { return x }\n")
		in.hasFirst = true
	}
	in.text.WriteString("var " + inferredName(e) + " = firstʹ(" + text + ")\n")
}
