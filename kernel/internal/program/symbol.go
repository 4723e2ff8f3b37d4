package program

import (
	"fmt"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// An origin is one execution of a cell.
type origin struct {
	n   int
	src string
}

// A symbol is what a name of the notebook means: a function, method, type,
// group of constants or variable. It does not change once it is live, apart
// from loaded and renew.
type symbol struct {
	key    string // name; "T.m" for a method; first name for constants
	kind   cell.Kind
	ename  string // the name in generated code; differs from the user's when that is taken
	origin *origin
	decl   *cell.Decl // nil for a variable that := made
	binds  map[string]binding
	pragma string // //go:linkname lines from elsewhere in its cell
	remote string // the symbol that a variable's //go:linkname names
	recv   string // receiver type for a method

	typ        *typetext.Text // of a variable
	witness    *witness       // for a variable whose type cannot be spelled
	embeddable bool           // a variable of a type that //go:embed can fill
	static     bool           // a variable that decl and the object's data initialize
	print      string         // fingerprint of the meaning for users of the name
	layout     string         // of a type or variable: fingerprint of the memory layout
	text       string         // description of the type for listings
	loaded     bool
	renew      bool              // when next compiled it gets a new stub: older callers keep the old one
	prints     map[string]string // of constants, by name
	sources    []literalSource   // of a function, or of a cell's statements: function literals
	literals   []literal         // those that follow constants
	replaced   []string          // those of a group that mean something else by now
	bodies     []string          // functions that the compiler could inline into it
	uses       []string          // names and methods that its body uses, for redefinition
	function   effects.Function  // of a function: what is known of its body
	initial    bool              // a variable that begins in child processes as it did here
	holdsError bool              // a variable that may hold an error
	isWhole    bool              // a variable that changes as a whole, or not at all

	plainType string // of a function: see Declaration.Signature
	signature string // of a generic function: fingerprint of the meaning for callers of an instance
}

type asideSymbol struct {
	*symbol
	reason string
}

// A binding is what a free name means in one piece of source.
type binding struct {
	kind bindKind
	path string // import path, for imported and dotted
}

type bindKind uint8

const (
	notebook    bindKind = iota // whatever the notebook means by the name now
	imported                    // a package
	dotted                      // an exported name of a dot-imported package
	universe                    // predeclared
	cellContext                 // ctx
)

// A witness is an expression that has the type of a variable, for types that
// cannot be spelled. It is compiled but never evaluated.
type witness struct {
	stmt  *cell.Stmt
	span  cell.Span // of the value in the statement's text
	index int       // which of several values
	count int
	refs  []cell.Ref
	binds map[string]binding
}

// names are the notebook names that the symbol gives a meaning to.
func (s *symbol) names() []string {
	switch s.kind {
	case cell.Const:
	case cell.Statement:
		return nil
	default:
		return []string{s.key}
	}
	var out []string
	for _, r := range s.decl.Names {
		if r.Name != "_" && !slices.Contains(s.replaced, r.Name) {
			out = append(out, r.Name)
		}
	}
	return out
}

// references are the notebook names that the symbol's source mentions, and the
// methods and receiver that it depends on.
func (s *symbol) references() []string {
	seen := map[string]bool{}
	var out []string
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	if s.recv != "" {
		add(s.recv)
	}
	if s.kind == cell.Var {
		if s.typ != nil {
			for _, name := range s.typ.Names {
				add(name)
			}
		}
		if s.witness != nil {
			for _, r := range s.witness.refs {
				add(r.Name)
			}
		}
	}
	if s.decl != nil && (s.kind != cell.Var || s.static) {
		for _, r := range s.decl.Refs {
			if s.binds[r.Name].kind == notebook && !slices.ContainsFunc(s.decl.Names, func(n cell.Ref) bool { return n.Off == r.Off }) {
				add(r.Name)
			}
		}
	}
	if s.kind == cell.Statement {
		for _, r := range s.heldRefs() {
			if s.binds[r.Name].kind == notebook {
				add(r.Name)
			}
		}
	}
	for _, name := range s.uses {
		add(name)
	}
	return out
}

// without returns a group of constants without one of them, or nil if that was
// all. The key is the first name that is left.
func (s *symbol) without(name string) *symbol {
	rest := *s
	rest.replaced = append(s.replaced[:len(s.replaced):len(s.replaced)], name)
	names := rest.names()
	if s.kind != cell.Const || len(names) == 0 {
		return nil
	}
	rest.key, rest.ename = names[0], mangle.Name(names[0])
	return &rest
}

func (s *symbol) kindName() string {
	switch {
	case s.recv != "":
		return "method"
	case s.kind == cell.Func:
		return "func"
	case s.kind == cell.Type:
		return "type"
	case s.kind == cell.Const:
		return "const"
	}
	return "var"
}

// printOf is the fingerprint of one of a symbol's names.
func (s *symbol) printOf(name string) string {
	if s.kind == cell.Const {
		return s.prints[name]
	}
	return s.print
}

// mentionedInSignature reports whether a function's type depends on a name.
func (s *symbol) mentionedInSignature(name string) bool {
	if s.recv == name {
		return true
	}
	for _, r := range s.decl.Refs {
		if r.Name == name && s.binds[name].kind == notebook && (s.decl.Body < 0 || r.Off < s.decl.Body) {
			return true
		}
	}
	return false
}

// title names a symbol for a notice.
func (s *symbol) title() string {
	if names := s.names(); len(names) > 1 {
		return fmt.Sprintf("%s and the constants beside it", names[0])
	}
	return s.key
}

// callers is the fingerprint of what compiled callers of a function rely on.
func (s *symbol) callers() string {
	if s.signature != "" {
		return s.signature
	}
	return s.print
}

// mentions returns the one of the packages that a symbol's source or type mentions, or "".
func (s *symbol) mentions(paths []string) string {
	var refs []cell.Ref
	if s.decl != nil {
		refs = s.decl.Refs
	}
	binds := s.binds
	if s.witness != nil {
		refs, binds = s.witness.refs, s.witness.binds
	}
	for _, r := range refs {
		if b := binds[r.Name]; (b.kind == imported || b.kind == dotted) && slices.Contains(paths, b.path) {
			return b.path
		}
	}
	if s.typ != nil {
		for _, path := range s.typ.Paths {
			if slices.Contains(paths, path) {
				return path
			}
		}
	}
	return ""
}

// isInit reports whether a declaration is an init function.
func (s *symbol) isInit() bool {
	return s.kind == cell.Func && s.key == "" && s.decl.Names[0].Name == "init"
}

// orderedInit reports whether it is one that the cell's statements call.
func (s *symbol) orderedInit() bool { return s.isInit() && s.ename != "init" }

// once reports whether a declaration has effect in its own unit alone.
func (s *symbol) once() bool { return s.key == "" || s.recv != "" && s.ename == "_" }

// linknamed reports whether the function's symbol may have a name of the user's.
func (s *symbol) linknamed() bool {
	return s.pragma != "" || s.decl.Linkname
}

// embeds reports whether a type, or one that a function declares, has the
// promoted methods of another.
func (s *symbol) embeds(name string) bool { return slices.Contains(s.decl.Ancestors, name) }

// embedsAny reports whether a type may have promoted methods.
func (s *symbol) embedsAny() bool { return len(s.decl.Ancestors) > 1 || s.decl.Ancestors[0] != "" }

// wrapperSymbols are the symbols that a promoted method may have in the place
// of one that is gone.
func (s *symbol) wrapperSymbols() []string {
	if s.recv == "" {
		return nil
	}
	return []string{"main." + mangle.Name(s.recv) + "." + s.ename, "main.(*" + mangle.Name(s.recv) + ")." + s.ename}
}

// linkSymbol is the name of a function or variable in the object.
func (s *symbol) linkSymbol() string {
	switch {
	case s.recv == "":
		return "main." + s.ename
	case s.decl.PtrRecv:
		return "main.(*" + mangle.Name(s.recv) + ")." + s.ename
	}
	return "main." + mangle.Name(s.recv) + "." + s.ename
}

// A linkName is the newest link symbol of a variable or function.
type linkName struct {
	kind    cell.Kind
	print   string
	version int
}
