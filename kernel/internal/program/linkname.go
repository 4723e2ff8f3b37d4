package program

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// linknames returns the cell's //go:linkname lines for a name that are not in
// its own doc comment.
func (b *builder) linknames(name string) string {
	var out []string
	for _, l := range b.c.Linknames {
		if l.Local == name {
			out = append(out, l.Text)
		}
	}
	return strings.Join(out, "\n")
}

// givesLinkedValue reports whether a specification has a value for a variable that
// has another package's symbol. The object's data cannot hold it, since the
// symbol may have its own already: it is assigned.
func (b *builder) givesLinkedValue(v *cell.VarSpec, declared []cell.Ref) bool {
	return len(v.Values) > 0 && slices.ContainsFunc(declared, func(n cell.Ref) bool {
		s := b.vars[n.Name]
		return s != nil && s.pragma != ""
	})
}

// specsLinked is givesLinkedValue for all variables that the compiler would
// initialize.
func (b *builder) specsLinked() bool {
	return slices.ContainsFunc(b.specs, func(s *spec) bool { return b.givesLinkedValue(s.v, s.names) })
}

// linknameErrors are about //go:linkname lines for names that the cell declares
// neither as functions nor with var.
func (b *builder) linknameErrors() cell.Errors {
	declared := names{}
	for _, s := range b.decls {
		if s.kind == cell.Func && s.recv == "" {
			declared.add(s.decl.Names[0].Name)
		}
	}
	for _, s := range b.specs {
		for _, n := range s.names {
			declared.add(n.Name)
		}
	}
	for _, st := range b.stmts {
		for _, n := range st.Names {
			if st.Var != nil {
				declared.add(n.Name)
			}
		}
	}
	var errs cell.Errors
	for _, l := range b.c.Linknames {
		if !declared[l.Local] {
			msg := fmt.Sprintf("//go:linkname is for %s, which this cell declares neither with func nor with var", l.Local)
			errs = append(errs, &cell.Error{Cell: b.c.N, Pos: l.Pos, Msg: msg, Source: cell.Line(b.c.Src, l.Pos.Line)})
		}
	}
	return errs
}
