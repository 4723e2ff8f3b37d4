package symtab

import (
	"fmt"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// An Origin is one execution of a cell.
type Origin struct {
	Cell   int
	Source string
}

// A Symbol is what a name of the notebook means: a function, method, type,
// group of constants or variable. It does not change once it is live, apart
// from loaded and renew.
type Symbol struct {
	Key      string // name; "T.m" for a method; first name for constants
	Kind     cell.Kind
	GoName   string // the name in generated code; differs from the user's when that is taken
	Origin   *Origin
	Decl     *cell.Decl // nil for a variable that := made
	Bindings map[string]Binding
	Pragma   string // //go:linkname lines from elsewhere in its cell
	Remote   string // the symbol that a variable's //go:linkname names
	Recv     string // receiver type for a method

	Type              *typetext.Text // of a variable
	TypeExpr          *TypeExpr      // for a variable whose type cannot be spelled
	IsEmbeddable      bool           // a variable of a type that //go:embed can fill
	IsStatic          bool           // a variable that decl and the object's data initialize
	Fingerprint       string         // fingerprint of the meaning for users of the name
	Layout            string         // of a type or variable: fingerprint of the memory layout
	TypeString        string         // description of the type for listings
	IsLoaded          bool
	NeedsNewStub      bool              // when next compiled it gets a new stub: older callers keep the old one
	ConstFingerprints map[string]string // of constants, by name
	LiteralSources    []LiteralSource   // of a function, or of a cell's statements: function literals
	Literals          []Literal         // those that follow something
	KeepsLiterals     bool              // others would, but what they capture may be captured in another way
	Promoting         []string          // of a cell's statements: types with methods that are promoted in types that they declare
	Replaced          []string          // those of a group that mean something else by now
	Bodies            []string          // functions that the compiler could inline into it
	Uses              []string          // names and methods that its body uses, for redefinition
	Function          effects.Function  // of a function: what is known of its body
	SameInChildren    bool              // a variable that begins in child processes as it did here
	MayHoldError      bool              // a variable that may hold an error
	ChangesWhole      bool              // a variable that changes as a whole, or not at all

	PlainType           string // of a function: see Declaration.Signature
	InstanceFingerprint string // of a generic function: fingerprint of the meaning for callers of an instance
}

type AsideSymbol struct {
	*Symbol
	Reason string
}

// A Binding is what a free name means in one piece of source.
type Binding struct {
	Kind BindingKind
	Path string // import Path, for imported and dotted; the number of an EarlierResult, the text of an EarlierInput

	Result *Result // of an EarlierResult
}

type BindingKind uint8

const (
	InNotebook    BindingKind = iota // whatever the notebook means by the name now
	Imported                         // a package
	DotImported                      // an exported name of a dot-imported package
	Universe                         // predeclared
	CellContext                      // ctx
	EarlierResult                    // Out[n]
	EarlierInput                     // In[n]
)

// A TypeExpr is an expression that has the type of a variable, for types that
// cannot be spelled. It is compiled but never evaluated.
type TypeExpr struct {
	Stmt     *cell.Stmt
	Span     cell.Span // of the value in the statement's text
	Index    int       // which of several values
	Count    int
	Refs     []cell.Ref
	Bindings map[string]Binding
}

// Names are the notebook names that the symbol gives a meaning to.
func (s *Symbol) Names() []string {
	switch s.Kind {
	case cell.Const:
	case cell.Statement:
		return nil
	default:
		return []string{s.Key}
	}
	var out []string
	for _, r := range s.Decl.Names {
		if r.Name != "_" && !slices.Contains(s.Replaced, r.Name) {
			out = append(out, r.Name)
		}
	}
	return out
}

// References are the notebook names that the symbol's source mentions, and the
// methods and receiver that it depends on.
func (s *Symbol) References() []string {
	seen := map[string]bool{}
	var out []string
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	if s.Recv != "" {
		add(s.Recv)
	}
	if s.Kind == cell.Var {
		if s.Type != nil {
			for _, name := range s.Type.Names {
				add(name)
			}
		}
		if s.TypeExpr != nil {
			for _, r := range s.TypeExpr.Refs {
				add(r.Name)
			}
		}
	}
	if s.Decl != nil && (s.Kind != cell.Var || s.IsStatic) {
		for _, r := range s.Decl.Refs {
			if s.Bindings[r.Name].Kind == InNotebook && !slices.ContainsFunc(s.Decl.Names, func(n cell.Ref) bool { return n.Off == r.Off }) {
				add(r.Name)
			}
		}
	}
	if s.Kind == cell.Statement {
		for _, r := range append(s.LiteralRefs(), s.KeptRefs()...) {
			if s.Bindings[r.Name].Kind == InNotebook {
				add(r.Name)
			}
		}
	}
	for _, name := range s.Uses {
		add(name)
	}
	return out
}

// Without returns a group of constants without one of them, or nil if that was
// all. The key is the first name that is left.
func (s *Symbol) Without(name string) *Symbol {
	rest := *s
	rest.Replaced = append(s.Replaced[:len(s.Replaced):len(s.Replaced)], name)
	names := rest.Names()
	if s.Kind != cell.Const || len(names) == 0 {
		return nil
	}
	rest.Key, rest.GoName = names[0], mangle.Name(names[0])
	return &rest
}

// KindWord is KindName in words for users, as front ends use them.
func (s *Symbol) KindWord() string {
	switch kind := s.KindName(); kind {
	case "func", "method":
		return "function"
	case "const":
		return "constant"
	case "var":
		return "variable"
	default:
		return kind
	}
}

// KindName returns "func", "method", "type", "const" or "var".
func (s *Symbol) KindName() string {
	switch {
	case s.Recv != "":
		return "method"
	case s.Kind == cell.Func:
		return "func"
	case s.Kind == cell.Type:
		return "type"
	case s.Kind == cell.Const:
		return "const"
	}
	return "var"
}

// FingerprintOf is the fingerprint of one of a symbol's names.
func (s *Symbol) FingerprintOf(name string) string {
	if s.Kind == cell.Const {
		return s.ConstFingerprints[name]
	}
	return s.Fingerprint
}

// IsGenericFunc reports whether the symbol is a generic function, or a method of a generic type.
func (s *Symbol) IsGenericFunc() bool {
	return s.Kind == cell.Func && s.Decl.Generic
}

// MentionedInSignature reports whether a function's type depends on a name.
func (s *Symbol) MentionedInSignature(name string) bool {
	if s.Recv == name {
		return true
	}
	for _, r := range s.Decl.Refs {
		if r.Name == name && s.Bindings[name].Kind == InNotebook && (s.Decl.Body < 0 || r.Off < s.Decl.Body) {
			return true
		}
	}
	return false
}

// Title names a symbol for a notice.
func (s *Symbol) Title() string {
	if names := s.Names(); len(names) > 1 {
		return fmt.Sprintf("%s and the constants beside it", names[0])
	}
	return s.Key
}

// CallerFingerprint is the fingerprint of what compiled callers of a function rely on.
func (s *Symbol) CallerFingerprint() string {
	if s.InstanceFingerprint != "" {
		return s.InstanceFingerprint
	}
	return s.Fingerprint
}

// MentionedPackage returns the one of the packages that a symbol's source or type mentions, or "".
func (s *Symbol) MentionedPackage(paths []string) string {
	var refs []cell.Ref
	if s.Decl != nil {
		refs = s.Decl.Refs
	}
	binds := s.Bindings
	if s.TypeExpr != nil {
		refs, binds = s.TypeExpr.Refs, s.TypeExpr.Bindings
	}
	for _, r := range refs {
		if b := binds[r.Name]; (b.Kind == Imported || b.Kind == DotImported) && slices.Contains(paths, b.Path) {
			return b.Path
		}
	}
	if s.Type != nil {
		for _, path := range s.Type.Paths {
			if slices.Contains(paths, path) {
				return path
			}
		}
	}
	return ""
}

// IsInit reports whether a declaration is an init function.
func (s *Symbol) IsInit() bool {
	return s.Kind == cell.Func && s.Key == "" && s.Decl.Names[0].Name == "init"
}

// IsOrderedInit reports whether it is one that the cell's statements call.
func (s *Symbol) IsOrderedInit() bool { return s.IsInit() && s.GoName != "init" }

// IsUnnamed reports whether a declaration has effect in its own unit alone.
func (s *Symbol) IsUnnamed() bool { return s.Key == "" || s.Recv != "" && s.GoName == "_" }

// IsLinknamed reports whether the function's symbol may have a name of the user's.
func (s *Symbol) IsLinknamed() bool {
	return s.Pragma != "" || s.Decl.Linkname
}

// Embeds reports whether a type, or one that a function declares, has the
// promoted methods of another.
func (s *Symbol) Embeds(name string) bool { return slices.Contains(s.Decl.Ancestors, name) }

// EmbedsAny reports whether a type may have promoted methods.
func (s *Symbol) EmbedsAny() bool { return len(s.Decl.Ancestors) > 1 || s.Decl.Ancestors[0] != "" }

// WrapperSymbols are the symbols that a promoted method may have in the place
// of one that is gone.
func (s *Symbol) WrapperSymbols() []string {
	if s.Recv == "" {
		return nil
	}
	return []string{"main." + mangle.Name(s.Recv) + "." + s.GoName, "main.(*" + mangle.Name(s.Recv) + ")." + s.GoName}
}

// LinkSymbol is the name of a function or variable in the object.
func (s *Symbol) LinkSymbol() string {
	switch {
	case s.Recv == "":
		return "main." + s.GoName
	case s.Decl.PtrRecv:
		return "main.(*" + mangle.Name(s.Recv) + ")." + s.GoName
	}
	return "main." + mangle.Name(s.Recv) + "." + s.GoName
}

// A LinkName is the newest link symbol of a variable or function.
type LinkName struct {
	Kind        cell.Kind
	Fingerprint string
	Version     int
	Former      []LinkName // those before it
}

// GoNameOf returns how generated code calls one of the symbol's names.
func (s *Symbol) GoNameOf(name string) string {
	if s.Kind == cell.Const || s.Kind == cell.Type {
		return mangle.Name(name)
	}
	return s.GoName
}

// Next is the link name after l for what code compiled for l cannot use: a function's former one
// if it was for the same kind of callers, else a new one. A variable's former one may hold an old value.
func (l LinkName) Next(kind cell.Kind, fingerprint string) LinkName {
	former := append(slices.Clone(l.Former), LinkName{Kind: l.Kind, Fingerprint: l.Fingerprint, Version: l.Version})
	next := LinkName{Kind: kind, Fingerprint: fingerprint}
	for _, f := range former {
		next.Version = max(next.Version, f.Version+1)
	}
	i := slices.IndexFunc(former, func(f LinkName) bool { return f.Kind == kind && f.Fingerprint == fingerprint })
	if kind == cell.Func && i >= 0 {
		next.Version = former[i].Version
		former = slices.Delete(former, i, i+1)
	}
	next.Former = former
	return next
}
