package symtab

import (
	"fmt"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/identity"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// An Origin is one execution of a cell: its execution count and its text.
type Origin struct {
	Cell   int
	Source string
}

// A Symbol is the meaning of a name of the notebook: a function, method, type, group of
// constants or variable. A symbol of kind Statement stands for the statements of a cell
// with function literals, and has no name. A live symbol does not change, apart from
// IsLoaded, NeedsNewStub and Bodies.
type Symbol struct {
	Key      string // the name; "T.m" for a method; the first name for a group of constants
	Kind     cell.Kind
	GoName   string // the name in generated code
	Origin   *Origin
	Decl     *cell.Decl // the declaration; nil for variables
	Bindings map[string]Binding
	Pragma   string // linkname lines for the symbol that are not in its doc comment
	Remote   string // the link symbol in a variable's //go:linkname line
	Recv     string // receiver type of a method

	Definition        *Definition       // for a variable that a cell declares: its source
	Type              *typetext.Text    // for a variable: its type
	TypeExpr          *TypeExpr         // for a variable whose type cannot be written as source text: an expression that has the type
	IsEmbeddable      bool              // for a variable: go:embed can fill a variable of its type
	Fingerprint       string            // fingerprint of the type, or of the text of the declaration: code that uses the name depends on it
	Layout            string            // for a type: fingerprint of its structure
	TypeString        string            // description of the type for listings
	IsLoaded          bool              // the worker process has loaded the symbol
	NeedsNewStub      bool              // the symbol gets a new stub when it is next compiled, and older callers keep the old stub
	ConstFingerprints map[string]string // fingerprints of constants, by name
	LiteralSources    []LiteralSource   // sources of the function literals in a function, or in a cell's statements
	Literals          []Literal         // the function literals that follow a declaration
	KeepsLiterals     bool              // there are function literals that keep their code, since the way in which they capture variables may change
	Promoting         []string          // for a cell's statements: types whose methods are promoted in types that the statements declare
	Replaced          []string          // for a group of constants: names that a newer declaration has replaced
	Bodies            []string          // keys of functions whose bodies were compiled in the same unit, since the compiler could inline these functions
	Uses              []string          // methods that the symbol's body selects, as "T.m"
	Function          effects.Function  // for a function: the effects of its body
	SameInChildren    bool              // for a variable: it has the same initial value in child processes
	MayHoldError      bool              // for a variable: it may hold an error
	ChangesWhole      bool              // for a variable: see effects.ChangesWhole

	PlainType           string // for a function: its type, as in Declaration.Signature
	InstanceFingerprint string // for a generic function: fingerprint of its type, for callers of an instance
}

// A Definition is the source of a variable.
type Definition struct {
	identity.Variable
	Embed    bool // the variable gets its value from go:embed
	Bindings map[string]Binding
}

// NewVariable returns a variable that a cell declares, without a type.
func NewVariable(name string, o *Origin, binds map[string]Binding, d *Definition) *Symbol {
	return &Symbol{Key: name, Kind: cell.Var, GoName: mangle.Name(name), Origin: o, Bindings: binds, Definition: d}
}

// An AsideSymbol is a symbol that is set aside because it no longer compiles, with the reason.
type AsideSymbol struct {
	*Symbol
	Reason string
}

// A Binding is the meaning of a free name in one declaration or statement.
type Binding struct {
	Kind BindingKind
	Path string // for Imported and DotImported: the import path; for EarlierResult: the cell number; for EarlierInput: the cell's text as a Go string literal

	Result *Result // for EarlierResult: the type of the value
}

// A BindingKind says what a name means.
type BindingKind uint8

const (
	InNotebook    BindingKind = iota // the name has its current meaning in the notebook
	Imported                         // the name is an imported package
	DotImported                      // the name is exported by a package that was imported with a dot
	Universe                         // the name is predeclared
	CellContext                      // the name is ctx, the context of the cell
	EarlierResult                    // the name is Out[n], the value that cell n has shown
	EarlierInput                     // the name is In[n], the text of cell n
)

// A TypeExpr is an expression that has the type of a variable. It is used for types that cannot be written as source
// text. It is compiled but never evaluated.
type TypeExpr struct {
	Stmt     *cell.Stmt
	Span     cell.Span // range of the expression in the statement's text
	Index    int       // index of the variable's value among the values of the expression
	Count    int       // number of values of the expression
	Refs     []cell.Ref
	Bindings map[string]Binding
}

// Names returns the names of the notebook whose meaning is s.
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

// References returns the names of the notebook that the symbol's source mentions, and the methods and the receiver on
// which the symbol depends.
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
	if s.Decl != nil && s.Kind != cell.Var {
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

// Without returns a copy of a group of constants that lacks one name. The key of the copy is its first name. Without
// returns nil if no name remains, or if s is not a group of constants.
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

// KindWord returns the kind as a word for users: "function", "type", "constant" or "variable".
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

// FingerprintOf returns the fingerprint of one of a symbol's names.
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

// MentionedInSignature reports whether a function's receiver or signature mentions a name.
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

// Title returns a name of the symbol, for notices to the user.
func (s *Symbol) Title() string {
	if names := s.Names(); len(names) > 1 {
		return fmt.Sprintf("%s and the constants beside it", names[0])
	}
	return s.Key
}

// CallerFingerprint returns the fingerprint of the type on which compiled callers of a function rely.
func (s *Symbol) CallerFingerprint() string {
	if s.InstanceFingerprint != "" {
		return s.InstanceFingerprint
	}
	return s.Fingerprint
}

// MentionedPackage returns the first package in paths that a symbol's source or type mentions, or "".
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

// IsOrderedInit reports whether s is an init function that the cell's statements call.
func (s *Symbol) IsOrderedInit() bool { return s.IsInit() && s.GoName != "init" }

// IsUnnamed reports whether s cannot be used by name, since it is an init function or a declaration with the name _.
func (s *Symbol) IsUnnamed() bool { return s.Key == "" || s.Recv != "" && s.GoName == "_" }

// IsLinknamed reports whether a //go:linkname line may give the function's symbol another name.
func (s *Symbol) IsLinknamed() bool {
	return s.Pragma != "" || s.Decl.Linkname
}

// Embeds reports whether a type, or a type that a function declares, embeds the type name
// and so has its methods.
func (s *Symbol) Embeds(name string) bool { return slices.Contains(s.Decl.Ancestors, name) }

// EmbedsAny reports whether a type may have promoted methods.
func (s *Symbol) EmbedsAny() bool { return len(s.Decl.Ancestors) > 1 || s.Decl.Ancestors[0] != "" }

// WrapperSymbols returns link symbols of a promoted method. The promoted method may take the place of method s when s
// is removed.
func (s *Symbol) WrapperSymbols() []string {
	if s.Recv == "" {
		return nil
	}
	return []string{"main." + mangle.Name(s.Recv) + "." + s.GoName, "main.(*" + mangle.Name(s.Recv) + ")." + s.GoName}
}

// LinkSymbol returns the name of a function or variable in the object file.
func (s *Symbol) LinkSymbol() string {
	switch {
	case s.Recv == "":
		return "main." + s.GoName
	case s.Decl.PtrRecv:
		return "main.(*" + mangle.Name(s.Recv) + ")." + s.GoName
	}
	return "main." + mangle.Name(s.Recv) + "." + s.GoName
}

// A LinkName describes the newest link symbol of a variable or function. Fingerprint is the CallerFingerprint of the
// symbol for which the link symbol was chosen.
type LinkName struct {
	Kind        cell.Kind
	Fingerprint string
	Version     int
	Former      []LinkName // earlier link names
}

// GoNameOf returns the generated name for one of the symbol's names.
func (s *Symbol) GoNameOf(name string) string {
	if s.Kind == cell.Const || s.Kind == cell.Type {
		return mangle.Name(name)
	}
	return s.GoName
}

// Next returns the link name after l for a new symbol that code compiled for l cannot use. For a function it is the
// former link name with this fingerprint, or a new link name if there is none. For a variable it is always new, since
// the variable with the former name may hold an old value.
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
