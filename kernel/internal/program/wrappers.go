package program

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// The compiler makes wrappers of functions, which may hold a copy of the body:
// for method values, for types that embed a method's receiver, for instances of
// generic code. When a function is compiled again, the unit must lead the
// compiler to make them again.

// wrappersOwner owns the code that does.
var wrappersOwner = &symtab.Symbol{Kind: cell.Var, Origin: &symtab.Origin{}}

// redone lists the older methods and generic functions that the unit compiles
// again, those among extra and those that the cell redefines.
func (b *builder) redone(extra []*symtab.Symbol) []*symtab.Symbol {
	var out []*symtab.Symbol
	for _, s := range append(b.decls[:len(b.decls):len(b.decls)], extra...) {
		wrapped := s.Kind == cell.Func && s.Key != "" && (s.Recv != "" || s.Decl.Generic)
		if wrapped && b.t.Names[s.Key] != nil && b.lookup(s.Key) == s {
			out = append(out, s)
		}
	}
	return out
}

// wrappers writes a function, never called, that takes the values of methods
// and instances, and of types that the compiler describes only where it meets them.
func (e *emitter) wrappers(list []*symtab.Symbol) {
	var values []string
	for _, s := range list {
		t := e.b.lookup(s.Recv)
		switch {
		case s.GoName == "_" || s.Recv != "" && t == nil:
		case s.Decl.Generic:
			for _, in := range e.b.instancesOf(s) {
				values = append(values, e.instance(s, in)...)
			}
		default:
			values = append(values, fmt.Sprintf("(*%s)(nil).%s", e.b.nameIn(t, s.Recv), s.GoName))
		}
	}
	values = append(values, e.touchedTypes()...)
	if len(values) == 0 {
		return
	}
	f := e.varFile()
	start := f.body.Len()
	fmt.Fprintf(&f.body, "\nfunc wrappers%s() []interface{} {\nreturn []interface{}{\n%s,\n}\n}\n", mangle.Mark, strings.Join(values, ",\n"))
	f.regions = append(f.regions, region{start, f.body.Len(), wrappersOwner})
}

// instance returns the expressions that make the compiler generate an instance
// of s.
func (e *emitter) instance(s *symtab.Symbol, in symtab.Instance) []string {
	f := e.varFile()
	if s.Recv == "" {
		return []string{e.b.nameIn(s, s.Key) + f.arguments(in)}
	}
	t := f.instanceType(e.b.lookup(s.Recv), in)
	return []string{t, t + "." + s.GoName}
}

// instanceType is an expression of the type of pointers to an instance of t.
func (f *file) instanceType(t *symtab.Symbol, in symtab.Instance) string {
	return "(*" + f.e.b.nameIn(t, t.Key) + f.arguments(in) + ")(nil)"
}

// arguments are the type arguments of an instance.
func (f *file) arguments(in symtab.Instance) string {
	var args []string
	for _, a := range in.Args {
		args = append(args, f.typeText(a))
	}
	return "[" + strings.Join(args, ", ") + "]"
}
