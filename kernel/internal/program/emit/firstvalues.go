package emit

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// initial writes the function that gives variables their initial values in a child. It is in a separate file, so that the other
// files stay the same as when they were checked.
func (e *Emitter) initial() *File {
	if e.in.IsShape || len(e.in.FirstValues) == 0 {
		return nil
	}
	f := &File{e: e, origin: e.in.Origin, Imports: map[string]string{}, Name: "initial.go"}
	fmt.Fprintf(&f.body, "\nfunc %s() {\n", InitialName(e.in.Origin.Cell))
	for _, first := range e.in.FirstValues {
		if first.Stmt != nil {
			e.assign(f, first.Stmt)
		} else {
			e.assignSpec(f, first.Spec)
		}
		e.record(f, first.ErrorVars)
	}
	f.body.WriteString("}\n")
	return f
}

// assign writes a declaration as an assignment: the variables are declared in
// another file.
func (e *Emitter) assign(f *File, st *Stmt) {
	edits := e.stmtRefs(f, st)
	if v := st.Var; v != nil {
		edits = append(edits, edit{v.NamesEnd, v.ValueStart, " = "})
	} else {
		edits = append(edits, edit{st.Define, st.Define + 2, "="})
	}
	f.put(nil, "", st.Source, cell.Span{End: len(st.Text)}, "", edits)
}

func (e *Emitter) assignSpec(f *File, s *Spec) {
	v := s.Var
	// The type is left out, since this file may not import the type's packages.
	edits := f.renames(s.Source, cell.Span{End: v.NamesEnd}, s.Owner.Bindings, e.in.Scope.Lookup)
	edits = append(edits, edit{v.NamesEnd, v.ValueStart, " = "})
	edits = append(edits, f.renames(s.Source, cell.Span{Start: v.ValueStart, End: len(s.Source.Text)}, s.Owner.Bindings, e.in.Scope.Lookup)...)
	for _, n := range s.Names {
		if v := e.in.Vars[n.Name]; v != nil {
			if text := v.GoNameOf(n.Name); text != n.Name {
				edits = append(edits, edit{n.Off, n.Off + len(n.Name), text})
			}
		}
	}
	f.put(s.Owner, "", s.Source, cell.Span{End: len(s.Source.Text)}, "", dedupe(edits))
}

// record writes calls that make the worker process record the error values that the variables have as their initial
// values.
func (e *Emitter) record(f *File, vars []string) {
	for _, name := range vars {
		e.helpers[recordName] = true
		fmt.Fprintf(&f.body, "%s(&%s)\n", recordName, e.in.Vars[name].GoNameOf(name))
	}
}

// recordAfter calls record for the variables with initial values that a statement of the cell declares.
func (e *Emitter) recordAfter(f *File, st *Stmt) {
	for _, first := range e.in.FirstValues {
		if first.Stmt == st && !e.in.IsShape {
			e.record(f, first.ErrorVars)
		}
	}
}
