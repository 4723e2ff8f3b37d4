package link

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// The compiler makes functions that call a method: for the pointer to a type
// with value methods, for a method promoted from an embedded field, for a
// method value. They often hold a copy of the method's body, so a redefinition
// must renew them. Notebook code reaches them through stubs, as it does
// methods; package build sees to it that they are in the object.

// isMethodWrapper reports whether the compiler generated this function to call
// a method.
func isMethodWrapper(o *object, s goobj.Sym, name string) bool {
	if strings.Count(name, ".") < 2 || isCallWrapper(name) {
		return false
	}
	fi, err := funcInfo(o, s)
	return err == nil && fi.FuncID == goobj.FuncIDWrapper
}

// isCallWrapper reports whether a symbol is the function that a defer or go
// statement makes of its call.
func isCallWrapper(name string) bool {
	last := strings.TrimRight(name[strings.LastIndexByte(name, '.')+1:], "0123456789")
	return last == "deferwrap" || last == "gowrap"
}

// methodName is a method's name with the dot before it, or "" for a symbol that
// is no method.
func methodName(symbol string) string {
	symbol = strings.TrimSuffix(withoutTypeArgs(symbol), "-fm")
	dot := strings.LastIndexByte(symbol, '.')
	if dot < 0 || strings.Count(symbol, ".") < 2 {
		return ""
	}
	return symbol[dot:]
}

// receiver is the symbol of the descriptor of a method's receiver type, pointers
// aside.
func receiver(symbol string) string {
	symbol = strings.TrimPrefix(symbol[:strings.LastIndexByte(symbol, '.')], "main.")
	return "type:main." + strings.TrimSuffix(strings.TrimPrefix(symbol, "(*"), ")")
}

// refreshes reports whether symbol i of the cell is a wrapper, known from an
// earlier load, that must be loaded again: a method of its name is new, or its
// receiver type is. Then code for the old one must not reach it.
func (ld *load) refreshes(i int, name string) bool {
	s := ld.main.Sym(i)
	if ld.Linker.stubs[name] == nil || !s.Kind().IsText() || !isMethodWrapper(ld.main, s, name) {
		return false
	}
	method := methodName(name)
	if ld.renewedMethods[method] || ld.isNewType(receiver(name)) {
		ld.renewed[name] = true
	}
	if ld.renewed[name] || ld.methodNames[method] {
		ld.fresh[name] = true
	}
	return ld.fresh[name]
}

// isNewType reports whether the cell's descriptor of this name is not that of
// an earlier load.
func (ld *load) isNewType(name string) bool {
	if ld.mainTypes == nil {
		ld.mainTypes = map[string]int{}
		for i := range ld.main.NumDef() {
			if s := ld.main.Sym(i); isType(s, s.Name()) {
				ld.mainTypes[s.Name()] = i
			}
		}
	}
	i, ok := ld.mainTypes[name]
	if !ok {
		return false
	}
	if _, done := ld.typeDone[name]; !done {
		ld.decideTypes(ld.main, i, name)
	}
	return ld.typeDone[name] == nil
}

// dropMethodValues forgets the method values of types that others of their name
// replace: the next cell that takes one brings it along.
func (ld *load) dropMethodValues() {
	replaced := map[string]bool{}
	for _, n := range ld.nodes {
		if n.typ != nil && ld.typeDone[n.name] == nil && ld.types[n.name] != nil {
			replaced[n.name] = true
		}
	}
	if len(replaced) == 0 {
		return
	}
	for name := range ld.Linker.stubs {
		if strings.HasSuffix(name, "-fm") && replaced[receiver(name)] {
			delete(ld.Linker.stubs, name)
		}
	}
}
