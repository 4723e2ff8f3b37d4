package program

import (
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// The compiler makes wrappers of functions, which may hold a copy of the body:
// for method values, for types that embed a method's receiver, for instances of
// generic code. When a function is compiled again, the unit must lead the
// compiler to make them again.

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
