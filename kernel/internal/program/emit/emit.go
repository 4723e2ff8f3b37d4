package emit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// Names of generated functions.
const (
	ShowName     = "show" + mangle.Mark
	ShowErrName  = "showerror" + mangle.Mark
	showRuneName = "showrune" + mangle.Mark
	DiscardName  = "discard" + mangle.Mark
	assignedName = "assigned" + mangle.Mark
	recordName   = "record" + mangle.Mark
)

// An Emitter writes the Go files of a unit: one file for each cell from which a declaration comes, with the imports
// of that cell, and one file for variables.
type Emitter struct {
	in      *Input
	files   map[*symtab.Origin]*File
	Files   []*File
	vars    *File
	taken   map[string]bool // names at package level, which package names must not use
	helpers map[string]bool
	full    map[*symtab.Symbol]bool // functions that the unit has with their bodies
	Paths   map[string]bool         // import paths of all imported packages
}

func newEmitter(in *Input) *Emitter {
	e := &Emitter{
		in:      in,
		files:   map[*symtab.Origin]*File{},
		taken:   map[string]bool{},
		helpers: map[string]bool{},
		full:    map[*symtab.Symbol]bool{},
		Paths:   map[string]bool{},
	}
	take := func(s *symtab.Symbol) {
		if s.Recv == "" {
			for _, n := range s.Names() {
				e.taken[s.GoNameOf(n)] = true
			}
		}
	}
	for s := range in.Older {
		take(s)
	}
	for _, s := range in.Decls {
		take(s)
	}
	for _, s := range in.Vars {
		e.taken[s.GoNameOf(s.Key)] = true
	}
	return e
}

// Write writes all files of the unit and returns the Emitter that holds them.
func Write(in *Input) *Emitter {
	e := newEmitter(in)
	e.noteBodies()
	e.older()
	for _, s := range in.Decls {
		f := Full
		if in.IsShape && !in.WithBodies {
			f = Signature
		}
		e.symbol(s, f)
	}
	for _, s := range in.Specs {
		e.spec(s)
	}
	if !in.IsShape {
		e.wrappers(in.Wrapped)
		for _, s := range in.LiteralHolders {
			e.literalsOf(s)
		}
	}
	e.newVars()
	e.entry()
	first := e.initial()
	e.helperFuncs()
	if first != nil {
		e.Files = append(e.Files, first)
	}
	if in.Standalone != "" && !in.IsShape {
		e.standalone()
	}
	return e
}

// noteBodies collects the functions that the unit has with their bodies.
func (e *Emitter) noteBodies() {
	if e.in.IsShape {
		return
	}
	for s, f := range e.in.Older {
		if s.Kind == cell.Func && f == Full {
			e.full[s] = true
		}
	}
	for _, s := range e.in.Decls {
		if s.Kind == cell.Func {
			e.full[s] = true
		}
	}
}

// older writes the older symbols that the unit needs.
func (e *Emitter) older() {
	list := slices.Collect(maps.Keys(e.in.Older))
	symtab.SortSymbols(list)
	for _, s := range list {
		if v := e.in.Vars[s.Key]; !e.in.IsShape && s.Kind == cell.Var && v != nil && v.GoName == s.GoName {
			continue // newVars declares this variable, to which the cell assigns
		}
		f := e.in.Older[s]
		if e.in.IsShape && s.Kind == cell.Func {
			f = Signature // a body may use variables that the cell's statements declare
		}
		e.symbol(s, f)
	}
}

func (e *Emitter) file(o *symtab.Origin) *File {
	f := e.files[o]
	if f == nil {
		f = &File{e: e, origin: o, Imports: map[string]string{}, Name: fmt.Sprintf("cell%d_%d.go", o.Cell, len(e.Files))}
		e.files[o] = f
		e.Files = append(e.Files, f)
	}
	return f
}

// entry writes the function that runs the cell's statements.
func (e *Emitter) entry() {
	if len(e.in.Stmts) == 0 {
		return
	}
	f := e.file(e.in.Origin)
	fmt.Fprintf(&f.body, "\nfunc %s() {\n", EntryName(e.in.Origin.Cell))
	timed := e.in.IsTimed && !e.in.IsShape
	if timed {
		e.helpers[startName], e.helpers[stopName] = true, true
		f.body.WriteString(startName + "()\n")
	}
	for _, st := range e.in.Stmts {
		e.stmt(f, st)
		if names := st.Retyped; len(names) > 0 && !e.in.IsShape {
			e.helpers[assignedName] = true
			fmt.Fprintf(&f.body, "%s(%s)\n", assignedName, strings.Join(names, ", "))
		}
	}
	if m := e.in.Main; m != nil && m.Kind == cell.Func {
		f.body.WriteString(m.GoName + "()\n")
	}
	if timed {
		f.body.WriteString(stopName + "()\n")
	}
	f.body.WriteString("}\n")
}

func (e *Emitter) helperFuncs() {
	if len(e.Files) == 0 && len(e.in.BlankImports) == 0 {
		return
	}
	f := e.file(e.in.Origin)
	for _, path := range e.in.BlankImports {
		f.BlankImports = append(f.BlankImports, path)
		e.Paths[path] = true
	}
	link := func(local, remote, sig string) {
		if e.helpers[local] {
			f.BlankImports = append(f.BlankImports, "unsafe")
			fmt.Fprintf(&f.body, "\n//go:linkname %s %s.%s\nfunc %s%s\n", local, e.in.Runtime, remote, local, sig)
		}
	}
	link(ShowName, "Show", "(...interface{})")
	link(ShowErrName, "ShowError", "(error)")
	link(showRuneName, "ShowRune", "(rune)")
	link(startName, "Start", "()")
	link(stopName, "Stop", "()")
	link(recordName, "Record", "(interface{})")
	link(repeatName, "Repeat", "(loops, runs int) int")
	e.contextHelper(f)
	link(assignedName, "Assigned", "(...string)")
	link(symtab.EarlierFunc, "Earlier", "(int) interface{}")
	link(embedName, "Embed", "(interface{}, string)")
	if e.helpers[DiscardName] {
		fmt.Fprintf(&f.body, "\nfunc %s(...interface{}) {}\n", DiscardName)
	}
}

// HasInitial reports whether the last file has code that only child processes run.
func (e *Emitter) HasInitial() bool { return len(e.in.FirstValues) > 0 }
