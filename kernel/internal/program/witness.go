package program

import (
	"fmt"
	"go/ast"
	"go/constant"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// link chooses the link name of a variable or function: the one that the
// worker has if it means the same to compiled code, else a new one, so that
// running older code keeps what it was compiled for.
func (b *builder) link(s *symbol) {
	if s.recv != "" {
		return
	}
	l, ok := b.t.links[s.key]
	switch {
	case !ok:
		l = linkName{s.kind, s.callers(), 1}
	case l.kind != s.kind || l.print != s.callers():
		l = linkName{s.kind, s.callers(), l.version + 1}
	}
	b.links[s.key] = l
	s.ename = mangle.Name(s.key)
	if s.kind == cell.Func {
		s.ename = mangle.Func(s.key)
	}
	if l.version > 1 {
		s.ename = fmt.Sprintf("%s%s%d", s.key, mangle.Mark, l.version)
	}
}

// witness keeps the defining expression of a variable whose type has no name here.
func (b *builder) witness(st *stmt, name string) *witness {
	if st == nil {
		return nil
	}
	w := &witness{stmt: st.Stmt, binds: map[string]binding{}}
	var values []cell.Span
	if st.Var != nil {
		values = st.Var.Values
	} else {
		values = st.Values
	}
	for i, n := range st.Names {
		if n.Name == name {
			w.index = i
		}
	}
	if len(values) == len(st.Names) {
		w.span, w.index, w.count = values[w.index], 0, 1
	} else {
		w.span, w.count = values[0], len(st.Names)
	}
	for _, ref := range st.Refs {
		if ref.Off < w.span.Start || ref.Off >= w.span.End {
			continue
		}
		w.binds[ref.Name] = b.before[ref.Name]
		if ref.Top {
			ref.Top = false
			w.binds[ref.Name] = binding{kind: notebook}
		}
		w.refs = append(w.refs, ref)
	}
	return w
}

// isStatic reports whether the compiler can put the variables of st into the
// object's data: there are no initializers, or constants alone.
func (b *builder) isStatic(r *result, entry *ast.FuncDecl, st *stmt) bool {
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
				if tv := r.info.Types[x]; tv.Value == nil && !tv.IsNil() || tv.Value != nil && tv.Value.Kind() == constant.Unknown {
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
