package program

import (
	"fmt"
	"go/ast"
	"go/constant"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// link chooses the link name of a variable or function: the one that the
// worker has if it means the same to compiled code, else a new one, so that
// running older code keeps what it was compiled for.
func (b *builder) link(s *symtab.Symbol) {
	if s.Recv != "" {
		return
	}
	l, ok := b.t.LinkNames[s.Key]
	switch {
	case !ok:
		l = symtab.LinkName{Kind: s.Kind, Fingerprint: s.CallerFingerprint(), Version: 1}
	case l.Kind != s.Kind || l.Fingerprint != s.CallerFingerprint():
		l = symtab.LinkName{Kind: s.Kind, Fingerprint: s.CallerFingerprint(), Version: l.Version + 1}
	}
	b.links[s.Key] = l
	s.GoName = mangle.Name(s.Key)
	if s.Kind == cell.Func {
		s.GoName = mangle.Func(s.Key)
	}
	if l.Version > 1 {
		s.GoName = fmt.Sprintf("%s%s%d", s.Key, mangle.Mark, l.Version)
	}
}

// witness keeps the defining expression of a variable whose type has no name here.
func (b *builder) witness(st *emit.Stmt, name string) *symtab.TypeExpr {
	if st == nil {
		return nil
	}
	w := &symtab.TypeExpr{Stmt: st.Stmt, Bindings: map[string]symtab.Binding{}}
	var values []cell.Span
	if st.Var != nil {
		values = st.Var.Values
	} else {
		values = st.Values
	}
	for i, n := range st.Names {
		if n.Name == name {
			w.Index = i
		}
	}
	if len(values) == len(st.Names) {
		w.Span, w.Index, w.Count = values[w.Index], 0, 1
	} else {
		w.Span, w.Count = values[0], len(st.Names)
	}
	for _, ref := range st.Refs {
		if ref.Off < w.Span.Start || ref.Off >= w.Span.End {
			continue
		}
		w.Bindings[ref.Name] = b.before[ref.Name]
		if ref.Top {
			ref.Top = false
			w.Bindings[ref.Name] = symtab.Binding{Kind: symtab.InNotebook}
		}
		w.Refs = append(w.Refs, ref)
	}
	return w
}

// isStatic reports whether the compiler can put the variables of st into the
// object's data: there are no initializers, or constants alone.
func (b *builder) isStatic(r *check.Result, entry *ast.FuncDecl, st *emit.Stmt) bool {
	if st.Embed != "" || b.givesLinkedValue(st.Var, st.Names) {
		return false
	}
	if len(st.Var.Values) == 0 {
		return true
	}
	for _, s := range entry.Body.List {
		d, ok := s.(*ast.DeclStmt)
		if !ok {
			continue
		}
		for _, sp := range d.Decl.(*ast.GenDecl).Specs {
			v, ok := sp.(*ast.ValueSpec)
			if !ok || !sameNames(v.Names, st.Names) {
				continue
			}
			for _, x := range v.Values {
				if tv := r.Info.Types[x]; tv.Value == nil && !tv.IsNil() || tv.Value != nil && tv.Value.Kind() == constant.Unknown {
					return false
				}
			}
			return len(v.Values) == len(v.Names)
		}
	}
	return false
}

func sameNames(ids []*ast.Ident, names []cell.Ref) bool {
	if len(ids) != len(names) {
		return false
	}
	named := false
	for i, id := range ids {
		if id.Name != names[i].Name {
			return false
		}
		named = named || id.Name != "_"
	}
	return named
}
