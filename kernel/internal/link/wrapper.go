package link

import (
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// The compiler generates functions that call others: a method of the pointer to a
// type with value methods, a promoted method of an embedded field, a
// method value, an instance of generic code with its dictionary. They often hold
// an inlined copy of the body, so they must be loaded again when the function is redefined. Notebook code calls them
// through stubs, as it calls functions. Package program makes sure that they are in the object.

// isMethodWrapper reports whether the compiler generated this function to call
// a method or an instance. A function with a dictionary parameter does not count, since it belongs to the code
// that it was compiled with. A promoted method that only jumps to
// another is not marked as a wrapper in the object, but counts.
func (ld *load) isMethodWrapper(o *object, s goobj.Sym, name string) bool {
	generic := strings.Contains(name, "[")
	if !generic && strings.Count(name, ".") < 2 || symname.IsCallWrapper(name) || generic && strings.Contains(name, "go.shape.") {
		return false
	}
	fi, err := funcInfo(o, s)
	return err == nil && (fi.FuncID == goobj.FuncIDWrapper || s.Dupok() && ld.methodType(name) != "")
}

// hasNewSignature reports whether a method, possibly a promoted one, has another signature than the
// method that stub s was made for.
func (ld *load) hasNewSignature(symbol string, s *stub) bool {
	t := ld.methodType(symbol)
	return s.typ != "" && (s.typ != t || symname.MentionsType(t, ld.newTypes()))
}

// formerStub returns the stub that a method had when it last had this type, so that code
// compiled at that time calls the new method. It returns nil if there is none, or if a type that
// the method mentions is new.
func (ld *load) formerStub(symbol, typ string) *stub {
	if typ == "" || symname.MentionsType(symbol, ld.newTypes()) || symname.MentionsType(typ, ld.newTypes()) {
		return nil
	}
	for _, s := range ld.formerStubs[symbol] {
		if s.typ == typ {
			return s
		}
	}
	return nil
}

// keepStubs makes the new stubs, and the former stubs that are used again, the current stubs of their functions. It
// records the replaced stubs of methods as former stubs.
func (ld *load) keepStubs() {
	for _, s := range slices.Concat(ld.stubs, ld.returnedStubs) {
		former := slices.DeleteFunc(ld.formerStubs[s.name], func(f *stub) bool { return f == s })
		if old := ld.Linker.stubs[s.name]; old != nil && old.typ != "" {
			former = append(former, old)
		}
		ld.Linker.stubs[s.name] = s
		ld.formerStubs[s.name] = former
	}
	for name := range ld.literals {
		ld.genericLiterals[name] = true
	}
	ld.dropFormerStubs(func(name string) bool { return symname.MentionsType(name, ld.newTypes()) })
}

// dropFormerStubs removes a former stub if mentions returns true for its method's symbol or its type.
func (l *Linker) dropFormerStubs(mentions func(name string) bool) {
	for name, list := range l.formerStubs {
		list = slices.DeleteFunc(list, func(s *stub) bool { return mentions(name) || mentions(s.typ) })
		if l.formerStubs[name] = list; len(list) == 0 {
			delete(l.formerStubs, name)
		}
	}
}

// methodType returns the symbol of a method's type from the type descriptors of the cell, or "" if
// none has the method.
func (ld *load) methodType(symbol string) string {
	if symname.Method(symbol) == "" {
		return ""
	}
	if ld.methodTypes == nil {
		ld.methodTypes = map[string]string{}
		for i := range ld.main.NumDef() {
			if s := ld.main.Sym(i); isType(s, s.Name()) && symname.MentionsMain(s.Name()) {
				newTypeRecord(ld.main, i, s.Name()).noteMethodTypes(ld.methodTypes)
			}
		}
	}
	return strings.Clone(ld.methodTypes[symbol])
}

// renewsWrapper reports whether symbol i of the cell is a wrapper of an earlier load that must be loaded
// again, since a method of the same name or a type that it mentions is new. If code for the old type must not call it,
// renewsWrapper also adds it to ld.renewed.
func (ld *load) renewsWrapper(i int, name string) bool {
	s := ld.main.Sym(i)
	old := ld.Linker.stubs[name]
	if old == nil || !s.Kind().IsText() || !ld.isMethodWrapper(ld.main, s, name) {
		return false
	}
	method := symname.Method(name)
	if ld.renewedMethods[symname.QualifiedMethod(name)] || symname.MentionsType(name, ld.newTypes()) || ld.methodNames[method] && ld.hasNewSignature(name, old) {
		ld.renewed[name] = true
	}
	if ld.renewed[name] || ld.methodNames[method] {
		ld.fresh[name] = true
	}
	return ld.fresh[name]
}

// isOutdated reports whether an instance of generic code must be loaded again: because it is fresh,
// because it is a literal and the function around it is fresh, or because a method or type that it
// mentions is new.
func (ld *load) isOutdated(name, plain string) bool {
	if ld.methodNames[symname.Method(name)] || symname.MentionsType(name, ld.newTypes()) {
		return true
	}
	for {
		if ld.fresh[plain] {
			return true
		}
		dot := strings.LastIndexByte(plain, '.')
		if dot < 0 {
			return false
		}
		plain = plain[:dot]
	}
}

// dropReplacedWrappers forgets the wrappers and instances for types that this load
// replaces. The object of the next cell that needs one contains it.
func (ld *load) dropReplacedWrappers() {
	replaced := map[string]bool{}
	for _, n := range ld.nodes {
		if name, ok := strings.CutPrefix(n.name, "type:main."); ok && n.typ != nil && ld.decidedTypes[n.name] == nil && ld.types[n.name] != nil {
			replaced[name] = true
		}
	}
	if len(replaced) == 0 {
		return
	}
	for name := range ld.Linker.stubs {
		if (strings.HasSuffix(name, "-fm") || strings.Contains(name, "[") || symname.IsUnnamedStructMethod(name)) && symname.MentionsType(name, replaced) {
			delete(ld.Linker.stubs, name)
		}
	}
	for key := range ld.globals {
		if symname.MentionsType(key.name, replaced) {
			delete(ld.globals, key)
		}
	}
}
