package program

import (
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// reach returns the older symbols that the cell and the symbols in extra need, with the form in
// which each is needed. Loaded functions come without bodies, so symbols that only
// their bodies use are left out.
func (b *builder) reach(extra []*symtab.Symbol) map[*symtab.Symbol]emit.Form {
	r := reacher{b: b, in: map[*symtab.Symbol]emit.Form{}, types: map[string]bool{}, embedding: map[string]bool{}}
	for _, s := range b.decls {
		r.source(s.Decl.Refs, s.Bindings, b.lookup)
		r.declared(s)
	}
	r.addTouched()
	for _, s := range b.recompiledGenerics(extra) {
		r.embedders(s.Recv)
		for _, in := range b.instancesOf(s) {
			for _, name := range in.TypeNames() {
				r.add(b.lookup(name))
			}
		}
	}
	r.describers()
	for _, s := range b.specs {
		r.source(s.Source.Refs, s.Owner.Bindings, b.lookup)
	}
	for _, st := range b.stmts {
		r.source(st.Refs, b.stmtBindings, b.lookupBefore)
	}
	for _, v := range b.vars {
		if v.Type != nil || v.TypeExpr != nil {
			r.variable(v)
		}
	}
	for _, s := range extra {
		r.add(s)
	}
	if extra != nil || len(b.literalHolders) > 0 {
		for _, old := range b.literalHolders {
			r.source(old.LiteralRefs(), old.Bindings, b.lookup)
		}
	}
	for len(r.todo) > 0 {
		s := r.todo[0]
		r.todo = r.todo[1:]
		r.expand(s)
	}
	b.touched = r.embedding
	for _, s := range b.decls {
		delete(r.in, s)
	}
	for _, v := range b.vars {
		delete(r.in, v)
	}
	return r.in
}

type reacher struct {
	b     *builder
	in    map[*symtab.Symbol]emit.Form
	types map[string]bool
	todo  []*symtab.Symbol

	embedding map[string]bool // the types that embedders was called for and those that it added
}

func (r *reacher) add(s *symtab.Symbol) {
	if s == nil {
		return
	}
	if _, ok := r.in[s]; !ok {
		r.in[s] = r.b.formOf(s)
		r.todo = append(r.todo, s)
	}
}

// formOf returns the form in which a unit needs an older symbol: without the body for most functions.
func (b *builder) formOf(s *symtab.Symbol) emit.Form {
	if s.Kind == cell.Func && !s.Decl.Generic && (b.p.isSnapshot || s.IsLoaded && (b.mayOutlive(s) || !b.mentions(s) || !isSmallLeaf(s))) {
		return emit.Signature
	}
	return emit.Full
}

// maxInline is the size of a body in bytes beyond which the compiler hardly
// ever inlines it: the compiler's budget is 80 nodes of the syntax tree.
const maxInline = 240

// isSmallLeaf reports whether the compiler should get the body of a function so that
// it can inline it: the body is small and uses nothing of the notebook and no package but math
// and math/bits.
func isSmallLeaf(s *symtab.Symbol) bool {
	d := s.Decl
	if d.Body < 0 || len(d.Text)-d.Body > maxInline || s.Pragma != "" || d.Directed {
		return false
	}
	for _, r := range d.Refs {
		if r.Off < d.Body {
			continue
		}
		switch bd := s.Bindings[r.Name]; {
		case bd.Kind == symtab.InNotebook:
			return false
		case bd.Kind != symtab.Universe && bd.Path != "math" && bd.Path != "math/bits":
			return false // importing another package takes longer than a call that is not inlined
		}
	}
	return true
}

// mentions reports whether the source of the cell may call s.
func (b *builder) mentions(s *symtab.Symbol) bool {
	if b.mentioned == nil {
		b.mentioned = map[string]bool{}
		note := func(src cell.Source) {
			for _, r := range src.Refs {
				b.mentioned[r.Name] = true
			}
			for _, sel := range src.Sels {
				b.mentioned["."+sel] = true
			}
		}
		for _, d := range b.cell.Decls {
			note(d.Source)
		}
		for _, st := range b.cell.Stmts {
			note(st.Source)
		}
	}
	if s.Recv != "" {
		return b.mentioned["."+s.GoName]
	}
	return b.mentioned[s.Key]
}

func (r *reacher) source(refs []cell.Ref, binds map[string]symtab.Binding, lookup func(string) *symtab.Symbol) {
	for _, ref := range refs {
		for _, name := range binds[ref.Name].Needs(ref) {
			r.add(lookup(name))
		}
	}
}

// declared adds the methods of a type and the receiver of a method.
func (r *reacher) declared(s *symtab.Symbol) {
	if s.Recv != "" {
		r.add(r.b.lookup(s.Recv))
	}
	if s.Kind != cell.Type || r.types[s.Key] {
		return
	}
	r.types[s.Key] = true
	for key, m := range r.b.table.Methods[s.Key] {
		if r.b.fresh[key] == nil {
			r.add(r.b.lookup(m.Key))
		}
	}
	for _, m := range r.b.returning {
		if m.Recv == s.Key && r.b.fresh[m.Key] == nil {
			r.add(m)
		}
	}
}

func (r *reacher) expand(s *symtab.Symbol) {
	r.declared(s)
	switch {
	case s.Kind == cell.Var:
		r.variable(s)
	case r.in[s] == emit.Signature && s.Decl.Body >= 0:
		for _, ref := range s.Decl.Refs {
			if ref.Off < s.Decl.Body && s.Bindings[ref.Name].Kind == symtab.InNotebook {
				r.add(r.b.lookup(ref.Name))
			}
		}
	default:
		r.source(s.Decl.Refs, s.Bindings, r.b.lookup)
	}
}

func (r *reacher) variable(s *symtab.Symbol) {
	if s.Type != nil {
		for _, name := range s.Type.Names {
			r.add(r.b.lookup(name))
		}
	}
	if s.TypeExpr != nil {
		r.source(s.TypeExpr.Refs, s.TypeExpr.Bindings, r.b.lookup)
	}
}
