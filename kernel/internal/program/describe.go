package program

import (
	"fmt"
	"go/types"
	"sort"
	"strconv"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// settleDecls takes fingerprints of what the cell declares.
func (b *builder) settleDecls(r *result) {
	for _, s := range b.decls {
		if s.once() {
			continue
		}
		obj := b.object(r, s)
		if obj == nil {
			continue
		}
		b.describeSymbol(s, obj, r.pkg)
		if s.kind == cell.Func {
			b.link(s)
		}
	}
}

func (b *builder) object(r *result, s *symbol) types.Object {
	scope := r.pkg.Scope()
	if s.recv == "" {
		return scope.Lookup(b.nameIn(s, s.key))
	}
	tn, ok := scope.Lookup(mangle.Name(s.recv)).(*types.TypeName)
	if !ok {
		return nil
	}
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(types.Unalias(tn.Type())), false, r.pkg, s.ename)
	return obj
}

func (b *builder) describeSymbol(s *symbol, obj types.Object, main *types.Package) {
	t := obj.Type()
	s.text = typetext.String(t, main)
	switch obj := obj.(type) {
	case *types.Const:
		s.prints = map[string]string{}
		for _, n := range s.decl.Names {
			if c, ok := main.Scope().Lookup(mangle.Name(n.Name)).(*types.Const); ok {
				s.prints[n.Name] = c.Val().ExactString() + ":" + typetext.Fingerprint(c.Type(), main)
			}
		}
	case *types.TypeName:
		s.text = typetext.String(t.Underlying(), main)
		s.layout = typetext.Fingerprint(t, main)
		s.print = s.layout
		if obj.IsAlias() {
			s.print = "=" + typetext.Fingerprint(types.Unalias(t), main)
		}
		if s.decl.Generic {
			s.print = s.decl.Text
		}
	default:
		if sig, ok := t.(*types.Signature); ok {
			s.plainType = types.TypeString(unnamed(sig), (*types.Package).Path)
		}
		s.print = typetext.Fingerprint(t, main)
		if s.decl.Generic {
			s.signature, s.print = s.print, s.decl.Text
		}
	}
}

// unnamed returns a function type without the names of parameters and results.
func unnamed(sig *types.Signature) *types.Signature {
	tuple := func(t *types.Tuple) *types.Tuple {
		var list []*types.Var
		for v := range t.Variables() {
			list = append(list, types.NewParam(v.Pos(), v.Pkg(), "", v.Type()))
		}
		return types.NewTuple(list...)
	}
	return types.NewSignatureType(nil, nil, nil, tuple(sig.Params()), tuple(sig.Results()), sig.Variadic())
}

// describeUnit fills in what the worker must know, and what Commit will do.
func (b *builder) describeUnit(u *Unit, e *emitter, in map[*symbol]form) {
	c := &changes{
		origin: b.o, imports: b.imports, dots: b.dots, blanks: b.blanks,
		links: b.links, checked: b.last, updates: b.recomp, instances: b.instances, structs: b.structs, valued: b.valued,
	}
	u.changes = c
	inits := 0
	for _, s := range b.decls {
		switch {
		case s.orderedInit():
			u.Fresh = append(u.Fresh, "main."+s.ename)
		case s.isInit():
			u.Fresh = append(u.Fresh, fmt.Sprintf("main.init.%d", inits))
			inits++
		}
		if s.once() {
			continue
		}
		c.define = append(c.define, s)
		if s.kind == cell.Func {
			b.compiled(u, s)
		}
	}
	c.define = append(c.define, b.back...)
	for s, f := range in {
		switch {
		case s.kind != cell.Func || f != full:
		case s.loaded:
			c.bodies = append(c.bodies, s.key)
		default:
			b.compiled(u, s)
		}
	}
	for old, why := range b.dropped {
		c.aside = append(c.aside, &asideSymbol{old, why})
		u.Fresh = append(u.Fresh, old.wrapperSymbols()...)
	}
	for _, m := range b.t.removed {
		u.Fresh = append(u.Fresh, m.wrapperSymbols()...)
	}
	b.describeVars(u)
	b.describeInitial(u)
	u.Init = inits > 0 || b.dynamicInit()
	if u.Init {
		u.Fresh = append(u.Fresh, "main.init", "main..inittask")
	}
	if len(b.stmts) > 0 {
		u.Entry = "main." + b.entryName()
		u.Fresh = append(u.Fresh, u.Entry)
	} else if m := b.fresh["main"]; m != nil && m.kind == cell.Func {
		u.Entry = "main." + m.ename
	}
	for path := range e.paths {
		u.Imports = append(u.Imports, path)
	}
	sort.Strings(u.Imports)
	sort.Strings(u.Fresh)
	sort.Strings(u.Renewed)
	u.Notices = b.notices
	u.Retry, c.retry = b.retried(), b.retried()
}

// compiled notes that the unit defines a function.
func (b *builder) compiled(u *Unit, s *symbol) {
	sym := s.linkSymbol()
	u.Fresh = append(u.Fresh, sym)
	if s.renew || b.renewed(s) {
		u.Renewed = append(u.Renewed, sym)
	}
	u.changes.loaded = append(u.changes.loaded, s)
	u.changes.bodies = append(u.changes.bodies, s.key)
}

// retypedBy lists, quoted, the variables that a statement gives their first
// values of another type than before.
func (b *builder) retypedBy(st *stmt) []string {
	var out []string
	for i, n := range st.Names {
		if v := b.vars[n.Name]; v != nil && st.New[i] && !st.static && b.retyped(v) {
			out = append(out, strconv.Quote(n.Name))
		}
	}
	return out
}

// retyped reports whether the notebook has a variable of v's name that is
// another one.
func (b *builder) retyped(v *symbol) bool {
	old := b.t.names[v.key]
	return old != nil && old.kind == cell.Var && old.ename != v.ename
}

func (b *builder) describeVars(u *Unit) {
	static := map[string]bool{}
	for _, st := range b.stmts {
		if st.static {
			for _, n := range st.Names {
				static[n.Name] = true
			}
		}
	}
	for name, v := range b.vars {
		old := b.t.names[name]
		reused := old != nil && old.kind == cell.Var && old.ename == v.ename
		if !reused || static[name] || len(b.specs) > 0 {
			u.Fresh = append(u.Fresh, "main."+v.ename)
		}
		if b.retyped(v) && !static[name] {
			if u.Retyped == nil {
				u.Retyped = map[string]string{}
			}
			u.Retyped[name] = fmt.Sprintf("%s is the zero value of its new type, %s: the cell ended before it got its value, and the old one, of type %s (%s), is gone",
				name, v.text, old.text, cell.Name(old.origin.n))
		}
		v.loaded = true
		u.changes.define = append(u.changes.define, v)
	}
	for _, s := range b.reset {
		u.Fresh = append(u.Fresh, "main."+s.ename)
	}
}

// dynamicInit reports whether a cell of declarations has initializers that run.
func (b *builder) dynamicInit() bool {
	for _, s := range b.specs {
		if len(s.v.Values) > 0 {
			return true
		}
	}
	return false
}
