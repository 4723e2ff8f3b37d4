package program

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strconv"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// recordDecls records the types and fingerprints of the cell's declarations.
func (b *builder) recordDecls(r *check.Result) {
	for _, s := range b.decls {
		if s.IsUnnamed() {
			continue
		}
		obj := b.object(r, s)
		if obj == nil {
			continue
		}
		b.describeSymbol(s, obj, r.Pkg)
		if s.Kind == cell.Func {
			b.link(s)
		}
	}
}

func (b *builder) object(r *check.Result, s *symtab.Symbol) types.Object {
	scope := r.Pkg.Scope()
	if s.Recv == "" {
		return scope.Lookup(s.GoNameOf(s.Key))
	}
	tn, ok := scope.Lookup(mangle.Name(s.Recv)).(*types.TypeName)
	if !ok {
		return nil
	}
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(types.Unalias(tn.Type())), false, r.Pkg, s.GoName)
	return obj
}

func (b *builder) describeSymbol(s *symtab.Symbol, obj types.Object, main *types.Package) {
	t := obj.Type()
	s.TypeString = typetext.String(t, main)
	switch obj := obj.(type) {
	case *types.Const:
		s.ConstFingerprints = map[string]string{}
		for _, n := range s.Decl.Names {
			if c, ok := main.Scope().Lookup(mangle.Name(n.Name)).(*types.Const); ok {
				s.ConstFingerprints[n.Name] = c.Val().ExactString() + ":" + typetext.Fingerprint(c.Type(), main)
			}
		}
	case *types.TypeName:
		s.TypeString = typetext.String(t.Underlying(), main)
		s.Layout = typetext.Fingerprint(t, main)
		s.Fingerprint = s.Layout
		if obj.IsAlias() {
			s.Fingerprint = "=" + typetext.Fingerprint(types.Unalias(t), main)
		}
		if s.Decl.Generic {
			s.Fingerprint = s.Decl.Text
		}
	default:
		if sig, ok := t.(*types.Signature); ok {
			s.PlainType = typetext.Signature(sig)
		}
		s.Fingerprint = typetext.Fingerprint(t, main)
		if s.Decl.Generic {
			s.InstanceFingerprint, s.Fingerprint = s.Fingerprint, s.Decl.Text
		}
	}
}

// describeUnit sets the fields of u that the worker process needs, and the changes for Commit.
func (b *builder) describeUnit(u *Unit, e *emit.Emitter, in map[*symtab.Symbol]emit.Form) {
	c := &symtab.Changes{
		Origin: b.origin, Imports: b.imports, DotImports: b.dots, BlankImports: b.blanks,
		LinkNames: b.linkNames, Check: b.lastCheck, Updates: b.recompiled, Instances: b.instances, Structs: b.structs, MethodValues: b.methodValues, Result: emit.ResultOf(b.stmts),
	}
	u.changes = c
	inits := 0
	for _, s := range b.decls {
		switch {
		case s.IsOrderedInit():
			u.Fresh = append(u.Fresh, "main."+s.GoName)
		case s.IsInit():
			u.Fresh = append(u.Fresh, fmt.Sprintf("main.init.%d", inits))
			inits++
		}
		if s.IsUnnamed() {
			continue
		}
		c.Define = append(c.Define, s)
		if s.Kind == cell.Func {
			b.noteCompiled(u, s)
		}
	}
	c.Define = append(c.Define, b.returning...)
	for s, f := range in {
		switch {
		case s.Kind != cell.Func || f != emit.Full:
		case s.IsLoaded:
			c.Bodies = append(c.Bodies, s.Key)
		default:
			b.noteCompiled(u, s)
		}
	}
	for old, why := range b.broken {
		c.Aside = append(c.Aside, &symtab.AsideSymbol{Symbol: old, Reason: why})
		u.Fresh = append(u.Fresh, old.WrapperSymbols()...)
	}
	for _, m := range b.table.RemovedMethods {
		u.Fresh = append(u.Fresh, m.WrapperSymbols()...)
	}
	b.describeVars(u)
	b.describeInitial(u)
	u.Init = inits > 0 || b.dynamicInit()
	if u.Init {
		u.Fresh = append(u.Fresh, "main.init", "main..inittask")
	}
	if len(b.stmts) > 0 {
		u.Entry = "main." + emit.EntryName(b.cell.N)
		u.Fresh = append(u.Fresh, u.Entry)
	} else if m := b.fresh["main"]; m != nil && m.Kind == cell.Func {
		u.Entry = "main." + m.GoName
	}
	u.Imports = slices.Sorted(maps.Keys(e.Paths))
	sort.Strings(u.Fresh)
	sort.Strings(u.Renewed)
	u.Notices, u.Returns = b.notices, b.returns
	u.Retry, c.Retry = b.retried(), b.retried()
}

// noteCompiled records that the unit defines a function.
func (b *builder) noteCompiled(u *Unit, s *symtab.Symbol) {
	sym := s.LinkSymbol()
	u.Fresh = append(u.Fresh, sym)
	if s.NeedsNewStub || b.renewed(s) {
		u.Renewed = append(u.Renewed, sym)
	}
	u.changes.Loaded = append(u.changes.Loaded, s)
	u.changes.Bodies = append(u.changes.Bodies, s.Key)
}

// retypedBy returns the quoted names of the variables that a statement declares with
// another type than before.
func (b *builder) retypedBy(st *emit.Stmt) []string {
	var out []string
	for i, n := range st.Names {
		if v := b.vars[n.Name]; v != nil && st.New[i] && !st.IsStatic && b.retyped(v) {
			out = append(out, strconv.Quote(n.Name))
		}
	}
	return out
}

// retyped reports whether the notebook has a variable of v's name with another link
// name: one that v does not reuse, since its type differs.
func (b *builder) retyped(v *symtab.Symbol) bool {
	old := b.table.Names[v.Key]
	return old != nil && old.Kind == cell.Var && old.GoName != v.GoName
}

func (b *builder) describeVars(u *Unit) {
	static := map[string]bool{}
	for _, st := range b.stmts {
		if st.IsStatic {
			for _, n := range st.Names {
				static[n.Name] = true
			}
		}
	}
	for name, v := range b.vars {
		old := b.table.Names[name]
		reused := old != nil && old.Kind == cell.Var && old.GoName == v.GoName
		if !reused || static[name] || len(b.specs) > 0 {
			u.Fresh = append(u.Fresh, "main."+v.GoName)
		}
		if b.retyped(v) && !static[name] {
			if u.Retyped == nil {
				u.Retyped = map[string]string{}
			}
			u.Retyped[name] = fmt.Sprintf("%s has the zero value of its new type, %s: the cell ended before it set the variable; the old value, of type %s (%s), is lost",
				name, v.TypeString, old.TypeString, cell.Name(old.Origin.Cell))
		}
		v.IsLoaded = true
		u.changes.Define = append(u.changes.Define, v)
	}
	for _, s := range b.reset {
		u.Fresh = append(u.Fresh, "main."+s.GoName)
	}
}

// dynamicInit reports whether a cell of declarations has variables with initializers.
func (b *builder) dynamicInit() bool {
	for _, s := range b.specs {
		if len(s.Var.Values) > 0 {
			return true
		}
	}
	return false
}
