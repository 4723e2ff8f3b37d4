package program

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// Names of generated functions.
const (
	showName     = "show" + mangle.Mark
	showErrName  = "showerror" + mangle.Mark
	showRuneName = "showrune" + mangle.Mark
	discardName  = "discard" + mangle.Mark
	assignedName = "assigned" + mangle.Mark
	recordName   = "record" + mangle.Mark
)

// A form says how much of a symbol a unit needs.
type form uint8

const (
	signature form = iota // a function without body: it is loaded, or not needed yet
	full
)

// An emitter writes the Go files of a unit: one per cell that a declaration
// comes from, each with the imports that cell meant, and one for variables.
type emitter struct {
	b       *builder
	shape   bool // the first pass: statements as written, no bodies
	files   map[*symtab.Origin]*file
	order   []*file
	vars    *file
	taken   map[string]bool // names at package level
	helpers map[string]bool
	full    map[*symtab.Symbol]bool // functions that the unit has with their bodies
	paths   map[string]bool         // all imported
}

func (b *builder) newEmitter(shape bool, in map[*symtab.Symbol]form) *emitter {
	e := &emitter{
		b: b, shape: shape,
		files:   map[*symtab.Origin]*file{},
		taken:   map[string]bool{},
		helpers: map[string]bool{},
		full:    map[*symtab.Symbol]bool{},
		paths:   map[string]bool{},
	}
	take := func(s *symtab.Symbol) {
		if s.Recv == "" {
			for _, n := range s.Names() {
				e.taken[b.nameIn(s, n)] = true
			}
		}
	}
	for s := range in {
		take(s)
	}
	for _, s := range b.decls {
		take(s)
	}
	for _, s := range b.vars {
		e.taken[b.nameIn(s, s.Key)] = true
	}
	return e
}

// emitUnit writes all files. in holds the symbols that the unit needs.
func (b *builder) emitUnit(shape bool, in map[*symtab.Symbol]form) *emitter {
	e := b.newEmitter(shape, in)
	if !shape {
		e.noteBodies(in)
	}
	list := make([]*symtab.Symbol, 0, len(in))
	for s := range in {
		list = append(list, s)
	}
	symtab.SortSymbols(list)
	for _, s := range list {
		if v := b.vars[s.Key]; !shape && s.Kind == cell.Var && v != nil && v.GoName == s.GoName {
			continue // the cell assigns to this very variable and declares it
		}
		f := in[s]
		if shape && s.Kind == cell.Func {
			f = signature // a body may need what the cell's statements declare
		}
		e.symbol(s, f)
	}
	for _, s := range b.decls {
		f := full
		if shape {
			f = signature
		}
		e.symbol(s, f)
	}
	for _, s := range b.specs {
		e.spec(s)
	}
	if !shape {
		e.wrappers(b.redone(b.older()))
		for _, old := range b.holders {
			e.literalsOf(b.heldAgain[old])
		}
	}
	e.newVars()
	e.entry()
	first := e.initial()
	e.finish()
	if first != nil {
		e.order = append(e.order, first)
	}
	if b.p.cfg.Solo != "" && !shape {
		e.solo()
	}
	return e
}

// noteBodies learns which functions come with bodies, and what their literals call.
func (e *emitter) noteBodies(in map[*symtab.Symbol]form) {
	for s, f := range in {
		if s.Kind == cell.Func && f == full {
			e.full[s] = true
			e.b.noteLasting(&s.Decl.Source)
		}
	}
	for _, s := range e.b.decls {
		if s.Kind == cell.Func {
			e.full[s] = true
		}
	}
}

func (e *emitter) file(o *symtab.Origin) *file {
	f := e.files[o]
	if f == nil {
		f = &file{e: e, origin: o, aliases: map[string]string{}, name: fmt.Sprintf("cell%d_%d.go", o.Cell, len(e.order))}
		e.files[o] = f
		e.order = append(e.order, f)
	}
	return f
}

// entry writes the function that runs the cell's statements.
func (e *emitter) entry() {
	if len(e.b.stmts) == 0 {
		return
	}
	f := e.file(e.b.o)
	fmt.Fprintf(&f.body, "\nfunc %s() {\n", e.b.entryName())
	timed := e.b.c.Timed && !e.shape
	if timed {
		e.helpers[startName], e.helpers[stopName] = true, true
		f.body.WriteString(startName + "()\n")
	}
	for _, st := range e.b.stmts {
		e.stmt(f, st)
		if names := e.b.retypedBy(st); len(names) > 0 && !e.shape {
			e.helpers[assignedName] = true
			fmt.Fprintf(&f.body, "%s(%s)\n", assignedName, strings.Join(names, ", "))
		}
	}
	if m := e.b.fresh["main"]; m != nil && m.Kind == cell.Func {
		f.body.WriteString(m.GoName + "()\n")
	}
	if timed {
		f.body.WriteString(stopName + "()\n")
	}
	f.body.WriteString("}\n")
}

func (b *builder) entryName() string { return fmt.Sprintf("cell%s%d", mangle.Mark, b.c.N) }

func (e *emitter) finish() {
	if len(e.order) == 0 && len(e.b.blanks)+len(e.b.t.PendingBlanks) == 0 {
		return
	}
	f := e.file(e.b.o)
	for _, path := range append(e.b.blanks[:len(e.b.blanks):len(e.b.blanks)], e.b.t.PendingBlanks...) {
		f.effects = append(f.effects, path)
		e.paths[path] = true
	}
	link := func(local, remote, sig string) {
		if e.helpers[local] {
			f.effects = append(f.effects, "unsafe")
			fmt.Fprintf(&f.body, "\n//go:linkname %s %s.%s\nfunc %s%s\n", local, e.b.p.cfg.RuntimePackage, remote, local, sig)
		}
	}
	link(showName, "Show", "(...interface{})")
	link(showErrName, "ShowError", "(error)")
	link(showRuneName, "ShowRune", "(rune)")
	link(startName, "Start", "()")
	link(stopName, "Stop", "()")
	link(recordName, "Record", "(interface{})")
	link(repeatName, "Repeat", "(loops, runs int) int")
	e.contextHelper(f)
	link(assignedName, "Assigned", "(...string)")
	link(embedName, "Embed", "(interface{}, string)")
	if e.helpers[discardName] {
		fmt.Fprintf(&f.body, "\nfunc %s(...interface{}) {}\n", discardName)
	}
}
