package program

import (
	"fmt"
	"go/ast"
	"go/constant"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// link chooses the link name of a variable or function. If the type is unchanged, the name
// stays. Otherwise the name is new, so that older code still finds the variable or function
// with the type that this code was compiled for. If a function gets back an earlier signature,
// it also gets back the name that it had with that signature, so that func values from that time call the new code.
func (b *builder) link(s *symtab.Symbol) {
	if s.Recv != "" {
		return
	}
	l, ok := b.table.LinkNames[s.Key]
	switch {
	case !ok:
		l = symtab.LinkName{Kind: s.Kind, Fingerprint: s.CallerFingerprint(), Version: 1}
	case l.Kind != s.Kind || l.Fingerprint != s.CallerFingerprint():
		l = l.Next(s.Kind, s.CallerFingerprint())
	}
	b.linkNames[s.Key] = l
	s.GoName = mangle.Name(s.Key)
	if s.Kind == cell.Func {
		s.GoName = mangle.Func(s.Key)
	}
	if l.Version > 1 {
		s.GoName = fmt.Sprintf("%s%s%d", s.Key, mangle.Mark, l.Version)
	}
}

// typeExpr returns the expression that defines a variable whose type cannot be written as source text.
func (b *builder) typeExpr(st *emit.Stmt, name string) *symtab.TypeExpr {
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
		w.Bindings[ref.Name] = b.stmtBindings[ref.Name]
		if ref.Top {
			ref.Top = false
			w.Bindings[ref.Name] = symtab.Binding{Kind: symtab.InNotebook}
		}
		w.Refs = append(w.Refs, ref)
	}
	return w
}

// isStatic reports whether the compiler can put the values of st's variables into the
// object's data: there are no initializers, or all are constants or nil.
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
			if !ok || !check.SameNames(v.Names, st.Names) {
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

// declaredType returns the source form of a variable's declared type if that
// uses names of the notebook other than types, such as the constant N in [N]int, with which the type changes. In other
// cases it returns nil, and the checked type is enough.
func (b *builder) declaredType(src cell.Source, v *cell.VarSpec, binds map[string]symtab.Binding) *typetext.Text {
	if v == nil || v.TypeStart >= v.TypeEnd {
		return nil
	}
	var refs []cell.Ref
	follows := false
	for _, r := range src.Refs {
		if r.Off < v.TypeStart || r.Off >= v.TypeEnd || r.Key {
			continue
		}
		refs = append(refs, r)
		if r.Top || binds[r.Name].Kind == symtab.InNotebook {
			s := b.lookup(r.Name)
			follows = follows || s != nil && s.Kind != cell.Type
		}
	}
	if !follows {
		return nil
	}
	slices.SortFunc(refs, func(x, y cell.Ref) int { return x.Off - y.Off })
	out := &typetext.Text{}
	at := v.TypeStart
	literal := func(end int) {
		out.Parts = append(out.Parts, typetext.Part{Text: src.Text[at:end]})
		at = end
	}
	for _, r := range refs {
		literal(r.Off)
		bd := binds[r.Name]
		switch {
		case r.Top || bd.Kind == symtab.InNotebook:
			out.Parts = append(out.Parts, typetext.Part{Name: r.Name})
			out.Names = append(out.Names, r.Name)
		case bd.Kind == symtab.Imported || bd.Kind == symtab.DotImported:
			out.Parts = append(out.Parts, typetext.Part{Path: bd.Path})
			out.Paths = append(out.Paths, bd.Path)
			if bd.Kind == symtab.DotImported {
				out.Parts = append(out.Parts, typetext.Part{Text: "." + r.Name})
			}
		default:
			continue
		}
		at += len(r.Name)
	}
	literal(v.TypeEnd)
	return out
}
