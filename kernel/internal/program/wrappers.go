package program

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// The compiler makes wrappers of functions, which may hold a copy of the body:
// for method values, for types that embed a method's receiver, for instances of
// generic code. When a function is compiled again, the unit must lead the
// compiler to make them again.

// wrappersOwner owns the code that does.
var wrappersOwner = &symbol{kind: cell.Var, origin: &origin{}}

// redone lists the older methods and generic functions that the unit compiles
// again, those among extra and those that the cell redefines.
func (b *builder) redone(extra []*symbol) []*symbol {
	var out []*symbol
	for _, s := range append(b.decls[:len(b.decls):len(b.decls)], extra...) {
		wrapped := s.kind == cell.Func && s.key != "" && (s.recv != "" || s.decl.Generic)
		if wrapped && b.t.names[s.key] != nil && b.lookup(s.key) == s {
			out = append(out, s)
		}
	}
	return out
}

// wrappers writes a function, never called, that takes the values of methods
// and instances, and of types that the compiler describes only where it meets them.
func (e *emitter) wrappers(list []*symbol) {
	var values []string
	for _, s := range list {
		t := e.b.lookup(s.recv)
		switch {
		case s.ename == "_" || s.recv != "" && t == nil:
		case s.decl.Generic:
			for _, in := range e.b.instancesOf(s) {
				values = append(values, e.instance(s, in)...)
			}
		default:
			values = append(values, fmt.Sprintf("(*%s)(nil).%s", e.b.nameIn(t, s.recv), s.ename))
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
func (e *emitter) instance(s *symbol, in instance) []string {
	f := e.varFile()
	if s.recv == "" {
		return []string{e.b.nameIn(s, s.key) + f.arguments(in)}
	}
	t := f.instanceType(e.b.lookup(s.recv), in)
	return []string{t, t + "." + s.ename}
}

// instanceType is an expression of the type of pointers to an instance of t.
func (f *file) instanceType(t *symbol, in instance) string {
	return "(*" + f.e.b.nameIn(t, t.key) + f.arguments(in) + ")(nil)"
}

// arguments are the type arguments of an instance.
func (f *file) arguments(in instance) string {
	var args []string
	for _, a := range in.args {
		args = append(args, f.typeText(a))
	}
	return "[" + strings.Join(args, ", ") + "]"
}
