package emit

import (
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

func (e *Emitter) stmt(f *File, st *Stmt) {
	if st.IsStatic && !e.in.IsShape {
		if before, after := e.timing(st, ""); before+after != "" {
			e.file(e.in.Origin).body.WriteString(before + after + "\n")
		}
		return
	}
	edits := e.stmtRefs(f, st)
	before := ""
	switch v := st.Var; {
	case e.in.IsShape && v != nil, v != nil && !st.declares():
		before = "var"
	case e.in.IsShape:
	case st.Embed != "":
		edits = e.embedEdits(st, edits)
	case v != nil:
		edits = append(cut(edits, v.NamesEnd, v.ValueStart), edit{v.NamesEnd, v.ValueStart, " = "})
	case st.Define >= 0:
		edits = append(edits, edit{st.Define, st.Define + 2, "="})
	}
	if st.Show != NotShown {
		name := map[ShowMode]string{Discarded: DiscardName, Shown: ShowName, ShownAsError: ShowErrName, ShownAsRune: showRuneName}[st.Show]
		e.helpers[name] = true
		edits = append([]edit{{st.Expr.Start, st.Expr.Start, name + "("}}, edits...)
		edits = append(edits, edit{st.Expr.End, st.Expr.End, ")"})
	}
	before, after := e.timing(st, before)
	f.put(nil, before, st.Source, cell.Span{End: len(st.Text)}, after, append(e.repeat(f, st), edits...))
	e.recordAfter(f, st)
}

// stmtRefs returns the edits that replace the names in a statement by their generated names.
func (e *Emitter) stmtRefs(f *File, st *Stmt) []edit {
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

func (e *Emitter) stmtRef(f *File, st *Stmt, r cell.Ref) string {
	lookup := func(name string) *symtab.Symbol { return e.in.Scope.LookupBefore(name) }
	switch {
	case r.Top && (e.in.IsShape || r.Key):
		return r.Name
	case r.Top:
		return e.in.Vars[r.Name].GoNameOf(r.Name)
	case st.InLiteral(r.Off) && e.aliasedIn(e.in.Before, r, lookup) != nil:
		return AliasName(e.aliasedIn(e.in.Before, r, lookup))
	case r.Name == symtab.ContextName && e.derives(st):
		return f.context()
	}
	return f.rename(r, e.in.Before, lookup)
}

// droppedPart returns the part of a variable specification that the assignment of its value
// leaves out: the type. The references in that part are ignored, so that the file does not import a package only for
// the type.
func (e *Emitter) droppedPart(st *Stmt) cell.Span {
	switch v := st.Var; {
	case e.in.IsShape || v == nil || v.TypeEnd > 0 && AllBlank(st.Names):
		return cell.Span{}
	case st.Embed != "":
		return cell.Span{Start: v.NamesEnd, End: len(st.Text)}
	default:
		return cell.Span{Start: v.NamesEnd, End: v.ValueStart}
	}
}

// declares reports whether the variables of a var statement are declared at package level, so
// that only the assignment remains.
func (st *Stmt) declares() bool {
	return st.Var != nil && !(st.Var.TypeEnd > 0 && AllBlank(st.Names))
}

// AllBlank reports whether all names are the blank identifier.
func AllBlank(names []cell.Ref) bool {
	for _, n := range names {
		if n.Name != "_" {
			return false
		}
	}
	return true
}

// DeclaresAll reports whether all variables on the left side of the statement are new.
func (st *Stmt) DeclaresAll() bool {
	for i, n := range st.Names {
		if n.Name != "_" && !st.New[i] {
			return false
		}
	}
	return len(st.Names) > 0 && (st.Var != nil || st.Define >= 0)
}
