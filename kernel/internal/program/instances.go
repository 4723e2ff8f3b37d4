package program

import (
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// instancesOf lists the instances of a generic function, or of a method's
// receiver, that older cells made and whose type arguments still exist.
func (b *builder) instancesOf(s *symtab.Symbol) []symtab.Instance {
	if !s.Decl.Generic || b.noInstances {
		return nil
	}
	all := b.table.Instances[s.Key]
	if s.Recv != "" {
		all = b.table.Instances[s.Recv]
	}
	var out []symtab.Instance
	for _, key := range slices.Sorted(maps.Keys(all)) {
		missing := func(name string) bool {
			s := b.lookup(name)
			return s == nil || s.Kind != cell.Type
		}
		if !slices.ContainsFunc(all[key].TypeNames(), missing) {
			out = append(out, all[key])
		}
	}
	return out
}

// findInstances collects the instances that the checked unit uses: those that
// it names, and those that the types of its expressions contain.
func (b *builder) findInstances(r *check.Result) {
	f := finder{pkg: r.Pkg, seen: map[types.Type]bool{}, found: map[string]symtab.Instance{}, structs: map[string]*typetext.Text{}}
	for id, in := range r.Info.Instances {
		if obj := r.Info.Uses[id]; obj != nil && obj.Pkg() == r.Pkg {
			f.add(obj.Name(), in.TypeArgs)
		}
		f.walk(in.Type)
	}
	for _, tv := range r.Info.Types {
		f.walk(tv.Type)
	}
	b.instances = slices.Collect(maps.Values(f.found))
	b.structs = slices.Collect(maps.Values(f.structs))
}

type finder struct {
	pkg     *types.Package
	seen    map[types.Type]bool
	found   map[string]symtab.Instance
	structs map[string]*typetext.Text
}

// add records an instance if none of its arguments contains a type parameter and all can be written as source text.
func (f *finder) add(name string, args *types.TypeList) {
	in := symtab.Instance{Generic: mangle.Demangle(name)}
	var keys []string
	for a := range args.Types() {
		text := typetext.Of(a, f.pkg)
		if text == nil || typetext.HasTypeParam(a) {
			return
		}
		in.Args = append(in.Args, text)
		keys = append(keys, types.TypeString(a, nil))
	}
	in.Key = strings.Join(keys, ", ")
	f.found[in.Generic+"["+in.Key] = in
}

// walk looks for instances in a type, including its methods' parameters and results.
func (f *finder) walk(t types.Type) {
	if t == nil || f.seen[t] {
		return
	}
	f.seen[t] = true
	if n, ok := t.(*types.Named); ok {
		if n.Obj().Pkg() == f.pkg && n.TypeArgs().Len() > 0 {
			f.add(n.Obj().Name(), n.TypeArgs())
		}
		if n.Obj().Pkg() == f.pkg {
			typetext.EachPart(n.Underlying(), f.walk)
			for m := range n.Methods() {
				f.walk(m.Type())
			}
		}
	}
	if s, ok := t.(*types.Struct); ok {
		f.addStruct(s)
	}
	typetext.EachPart(t, f.walk)
}

// addStruct records a struct type without a name that may have promoted methods of notebook types.
func (f *finder) addStruct(s *types.Struct) {
	for v := range s.Fields() {
		if !v.Embedded() {
			continue
		}
		text := typetext.Of(s, f.pkg)
		if text != nil && len(text.Names) > 0 && !typetext.HasTypeParam(s) {
			f.structs[text.Key()] = text
		}
		return
	}
}

// The compiler generates wrappers of functions: for method values, for types that
// embed a method's receiver, for instances of generic code. A wrapper may hold an
// inlined copy of the function's body. When a unit compiles a function again, it must
// contain code that makes the compiler generate the wrappers again.

// recompiledGenerics lists the methods and generic functions that existed before and that the
// unit compiles again: those that the cell redefines, and those in extra.
func (b *builder) recompiledGenerics(extra []*symtab.Symbol) []*symtab.Symbol {
	var out []*symtab.Symbol
	for _, s := range append(b.decls[:len(b.decls):len(b.decls)], extra...) {
		wrapped := s.Kind == cell.Func && s.Key != "" && (s.Recv != "" || s.Decl.Generic)
		if wrapped && b.table.Names[s.Key] != nil && b.lookup(s.Key) == s {
			out = append(out, s)
		}
	}
	return out
}
