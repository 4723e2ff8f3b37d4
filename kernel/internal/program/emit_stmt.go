package program

import (
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

func (e *emitter) stmt(f *file, st *stmt) {
	if st.static && !e.shape {
		if before, after := e.timing(st, ""); before+after != "" {
			e.file(e.b.o).body.WriteString(before + after + "\n")
		}
		return
	}
	edits := e.stmtRefs(f, st)
	before := ""
	switch v := st.Var; {
	case e.shape && v != nil, v != nil && !st.declares():
		before = "var"
	case e.shape:
	case st.Embed != "":
		edits = e.embedEdits(st, edits)
	case v != nil:
		edits = append(cut(edits, v.NamesEnd, v.ValueStart), edit{v.NamesEnd, v.ValueStart, " = "})
	case st.Define >= 0:
		edits = append(edits, edit{st.Define, st.Define + 2, "="})
	}
	if st.show != plain {
		name := map[showMode]string{discard: discardName, show: showName, showError: showErrName, showRune: showRuneName}[st.show]
		e.helpers[name] = true
		edits = append([]edit{{st.Expr.Start, st.Expr.Start, name + "("}}, edits...)
		edits = append(edits, edit{st.Expr.End, st.Expr.End, ")"})
	}
	before, after := e.timing(st, before)
	f.put(nil, before, st.Source, cell.Span{End: len(st.Text)}, after, append(e.repeat(f, st), edits...))
	e.recordAfter(f, st)
}

// stmtRefs gives the names in a statement their generated form.
func (e *emitter) stmtRefs(f *file, st *stmt) []edit {
	var edits []edit
	dropped := e.droppedPart(st)
	for _, r := range st.Refs {
		if r.Off >= dropped.Start && r.Off < dropped.End {
			continue
		}
		if text := e.stmtRef(f, st, r); text != r.Name {
			edits = append(edits, edit{r.Off, r.Off + len(r.Name), text})
		}
	}
	return edits
}

func (e *emitter) stmtRef(f *file, st *stmt, r cell.Ref) string {
	lookup := func(name string) *symtab.Symbol { return e.b.lookupBefore(name) }
	switch {
	case r.Top && (e.shape || r.Key):
		return r.Name
	case r.Top:
		return e.b.nameIn(e.b.vars[r.Name], r.Name)
	case st.InLiteral(r.Off) && e.aliasedIn(e.b.before, r, lookup) != nil:
		return aliasName(e.aliasedIn(e.b.before, r, lookup))
	case r.Name == symtab.ContextName && e.derives(st):
		return f.context()
	}
	return f.rename(r, e.b.before, lookup)
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
