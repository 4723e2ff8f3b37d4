package emit

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// WrappersOwner is the Owner of type errors in the function that Emitter.wrappers generates.
var WrappersOwner = &symtab.Symbol{Kind: cell.Var, Origin: &symtab.Origin{}}

// wrappers writes a function that is never called. It uses methods and instances as values, so that the compiler
// generates their wrappers, and values of types, so that the compiler writes their type descriptors.
func (e *Emitter) wrappers(list []*symtab.Symbol) {
	var values []string
	for _, s := range list {
		t := e.in.Scope.Lookup(s.Recv)
		switch {
		case s.GoName == "_" || s.Recv != "" && t == nil:
		case s.Decl.Generic:
			for _, in := range e.in.Scope.Instances(s) {
				values = append(values, e.instance(s, in)...)
			}
		default:
			values = append(values, fmt.Sprintf("(*%s)(nil).%s", t.GoNameOf(s.Recv), s.GoName))
		}
	}
	values = append(values, e.touchedTypes()...)
	if len(values) == 0 {
		return
	}
	f := e.varFile()
	start := f.body.Len()
	fmt.Fprintf(&f.body, "\nfunc wrappers%s() []interface{} {\nreturn []interface{}{\n%s,\n}\n}\n", mangle.Mark, strings.Join(values, ",\n"))
	f.regions = append(f.regions, region{start, f.body.Len(), WrappersOwner})
}

// instance returns the expressions that make the compiler generate an instance
// of s.
func (e *Emitter) instance(s *symtab.Symbol, in symtab.Instance) []string {
	f := e.varFile()
	if s.Recv == "" {
		return []string{s.GoNameOf(s.Key) + f.arguments(in)}
	}
	t := f.instanceType(e.in.Scope.Lookup(s.Recv), in)
	return []string{t, t + "." + s.GoName}
}

// instanceType returns an expression whose type is a pointer to an instance of t.
func (f *File) instanceType(t *symtab.Symbol, in symtab.Instance) string {
	return "(*" + t.GoNameOf(t.Key) + f.arguments(in) + ")(nil)"
}

// arguments returns the type arguments of an instance as source text, in brackets.
func (f *File) arguments(in symtab.Instance) string {
	var args []string
	for _, a := range in.Args {
		args = append(args, f.typeText(a))
	}
	return "[" + strings.Join(args, ", ") + "]"
}

// touchedTypes returns expressions of the types whose method sets the unit changes and whose
// descriptors the compiler would not write for the declarations alone.
func (e *Emitter) touchedTypes() []string {
	var values []string
	add := func(value func(*File) string) { values = append(values, value(e.varFile())) }
	for _, t := range e.in.TouchedTypes {
		for _, in := range e.in.Scope.Instances(t) {
			add(func(f *File) string { return f.instanceType(t, in) })
		}
	}
	for _, t := range e.in.TouchedStructs {
		add(func(f *File) string { return "(*" + f.typeText(t) + ")(nil)" })
	}
	return values
}

// literalsOf writes the function of an older cell's statements with only the literals that are compiled again.
func (e *Emitter) literalsOf(s *symtab.Symbol) {
	f := e.file(s.Origin)
	start := f.body.Len()
	fmt.Fprintf(&f.body, "\nfunc %s() {\n", s.GoName)
	f.regions = append(f.regions, region{start, f.body.Len(), s})
	for _, src := range s.LiteralSources {
		for i, lit := range src.Source.Outermost {
			if !src.Follows[i] {
				f.body.WriteString("_ = func() {}\n") // keeps the numbers of the other literals
				continue
			}
			f.put(s, "_ =", src.Source, lit.Span, "", f.renames(src.Source, lit.Span, s.Bindings, e.in.Scope.Lookup))
		}
	}
	f.body.WriteString("}\n")
}
