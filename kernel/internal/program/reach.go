package program

import (
	"github.com/perijove/perijove/kernel/internal/cell"
)

// reach returns the older symbols that the cell needs, with the form in which
// each is needed. Functions that are loaded come without bodies, so what only
// their bodies use stays out.
func (b *builder) reach(extra []*symbol) map[*symbol]form {
	r := reacher{b: b, in: map[*symbol]form{}, types: map[string]bool{}, embedding: map[string]bool{}}
	for _, s := range b.decls {
		r.source(s.decl.Refs, s.binds, b.lookup)
		r.declared(s)
	}
	r.touch()
	for _, s := range b.redone(extra) {
		r.embedders(s.recv)
		for _, in := range b.instancesOf(s) {
			for _, name := range in.names() {
				r.add(b.lookup(name))
			}
		}
	}
	r.describers()
	for _, s := range b.specs {
		r.source(s.source.Refs, s.owner.binds, b.lookup)
	}
	for _, st := range b.stmts {
		r.source(st.Refs, b.before, b.lookupBefore)
	}
	for _, v := range b.vars {
		if v.typ != nil || v.witness != nil {
			r.variable(v)
		}
	}
	for _, s := range extra {
		r.add(s)
	}
	if extra != nil || len(b.holders) > 0 {
		for _, old := range b.holders {
			r.source(old.heldRefs(), old.binds, b.lookup)
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
	in    map[*symbol]form
	types map[string]bool
	todo  []*symbol

	embedding map[string]bool // types added by embedders, and those that they embed
}

func (r *reacher) add(s *symbol) {
	if s == nil {
		return
	}
	if _, ok := r.in[s]; !ok {
		r.in[s] = r.b.formOf(s)
		r.todo = append(r.todo, s)
	}
}

// formOf decides whether a unit needs the body of an older function.
func (b *builder) formOf(s *symbol) form {
	if s.kind == cell.Func && !s.decl.Generic && (b.p.isSnapshot || s.loaded && (b.lasts(s) || !b.mentions(s) || !s.isSmallLeaf())) {
		return signature
	}
	return full
}

// maxInline is the size of a body in bytes beyond which the compiler hardly
// ever inlines: its budget is 80 nodes of the syntax tree.
const maxInline = 240

// isSmallLeaf reports whether a function is worth giving to the compiler with
// its body, so that it can be inlined: it is small and brings nothing along.
func (s *symbol) isSmallLeaf() bool {
	d := s.decl
	if d.Body < 0 || len(d.Text)-d.Body > maxInline || s.pragma != "" || d.Directed {
		return false
	}
	for _, r := range d.Refs {
		if r.Off < d.Body {
			continue
		}
		switch bd := s.binds[r.Name]; {
		case bd.kind == notebook:
			return false
		case bd.kind != universe && bd.path != "math" && bd.path != "math/bits":
			return false // importing more costs more than a call
		}
	}
	return true
}

// mentions reports whether the cell's own source may call s.
func (b *builder) mentions(s *symbol) bool {
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
		for _, d := range b.c.Decls {
			note(d.Source)
		}
		for _, st := range b.c.Stmts {
			note(st.Source)
		}
	}
	if s.recv != "" {
		return b.mentioned["."+s.ename]
	}
	return b.mentioned[s.key]
}

func (r *reacher) source(refs []cell.Ref, binds map[string]binding, lookup func(string) *symbol) {
	for _, ref := range refs {
		if !ref.Top && binds[ref.Name].kind == notebook {
			r.add(lookup(ref.Name))
		}
	}
}

// declared adds the methods of a type and the receiver of a method.
func (r *reacher) declared(s *symbol) {
	if s.recv != "" {
		r.add(r.b.lookup(s.recv))
	}
	if s.kind != cell.Type || r.types[s.key] {
		return
	}
	r.types[s.key] = true
	for key, m := range r.b.t.methods[s.key] {
		if r.b.fresh[key] == nil {
			r.add(r.b.lookup(m.key))
		}
	}
	for _, m := range r.b.back {
		if m.recv == s.key && r.b.fresh[m.key] == nil {
			r.add(m)
		}
	}
}

func (r *reacher) expand(s *symbol) {
	r.declared(s)
	switch {
	case s.kind == cell.Var:
		r.variable(s)
	case r.in[s] == signature && s.decl.Body >= 0:
		for _, ref := range s.decl.Refs {
			if ref.Off < s.decl.Body && s.binds[ref.Name].kind == notebook {
				r.add(r.b.lookup(ref.Name))
			}
		}
	default:
		r.source(s.decl.Refs, s.binds, r.b.lookup)
	}
}

func (r *reacher) variable(s *symbol) {
	if s.typ != nil {
		for _, name := range s.typ.Names {
			r.add(r.b.lookup(name))
		}
	}
	if s.witness != nil {
		r.source(s.witness.refs, s.witness.binds, r.b.lookup)
	}
}
