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
	Key      string // name; "T.m" for a method; first name for constants
	Kind     cell.Kind
	GoName   string // the name in generated code
	Origin   *Origin
	Decl     *cell.Decl // nil for variables
	Bindings map[string]Binding
	Pragma   string // //go:linkname lines for it that are not in its doc comment
	Remote   string // the link symbol in a variable's //go:linkname line
	Recv     string // receiver type for a method

	Definition        *Definition       // the source of a variable that a cell declares
	Type              *typetext.Text    // type of a variable
	TypeExpr          *TypeExpr         // for a variable whose type cannot be written as source text
	IsEmbeddable      bool              // a variable of a type that //go:embed can fill
	Fingerprint       string            // fingerprint of what code that uses the name depends on: its type, or the text of its declaration
	Layout            string            // of a type: fingerprint of its structure
	TypeString        string            // description of the type for listings
	IsLoaded          bool              // the worker process has it
	NeedsNewStub      bool              // it gets a new stub when it is next compiled, and older callers keep the old stub
	ConstFingerprints map[string]string // fingerprints of constants, by name
	LiteralSources    []LiteralSource   // sources of the function literals in a function, or in a cell's statements
	Literals          []Literal         // the literals that follow a declaration
	KeepsLiterals     bool              // it has literals that keep their code, since the way in which they capture variables may change
	Promoting         []string          // of a cell's statements: types whose methods are promoted in types that the statements declare
	Replaced          []string          // names of a group of constants that a newer declaration has replaced
	Bodies            []string          // keys of functions whose bodies were compiled in the same unit: the compiler could inline them
	Uses              []string          // methods that its body selects, as "T.m"
	Function          effects.Function  // of a function: the effects of its body
	SameInChildren    bool              // a variable that has the same initial value in child processes
	MayHoldError      bool              // a variable that may hold an error
	ChangesWhole      bool              // of a variable: see effects.ChangesWhole

	PlainType           string // type of a function, as in Declaration.Signature
	InstanceFingerprint string // of a generic function: fingerprint of its type, for callers of an instance
}

// A Definition is the source of a variable.
type Definition struct {
	identity.Variable
	Embed    bool // //go:embed gives it a value
	Bindings map[string]Binding
}

// NewVariable returns a variable that a cell declares, without a type.
func NewVariable(name string, o *Origin, binds map[string]Binding, d *Definition) *Symbol {
	return &Symbol{Key: name, Kind: cell.Var, GoName: mangle.Name(name), Origin: o, Bindings: binds, Definition: d}
}

type AsideSymbol struct {
	*Symbol
	Reason string
}

// A Binding is the meaning of a free name in one declaration or statement.
type Binding struct {
	Kind BindingKind
	Path string // import path for Imported and DotImported; the cell number of an EarlierResult; the quoted text of an EarlierInput

	Result *Result // type of an EarlierResult
}

type BindingKind uint8

const (
	InNotebook    BindingKind = iota // the current declaration of the name in the notebook
	Imported                         // a package
	DotImported                      // an exported name of a dot-imported package
	Universe                         // predeclared
	CellContext                      // ctx
	EarlierResult                    // Out[n]
	EarlierInput                     // In[n]
)

// A TypeExpr is an expression that has the type of a variable, for types that
// cannot be written as source text. It is compiled but never evaluated.
type TypeExpr struct {
	Stmt     *cell.Stmt
	Span     cell.Span // range of the expression in the statement's text
	Index    int       // index of the variable's value among the values of the expression
	Count    int       // number of values of the expression
	Refs     []cell.Ref
	Bindings map[string]Binding
}

// Names returns the notebook names whose meaning is s.
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

// References returns the notebook names that the symbol's source mentions, and the
// methods and the receiver that it depends on.
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

// Without returns a copy of a group of constants without one name. The key of the copy is the
// first remaining name. Without returns nil if no name remains or s is not a group of constants.
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

// Title returns a name of the symbol for notices.
func (s *Symbol) Title() string {
	if names := s.Names(); len(names) > 1 {
		return fmt.Sprintf("%s and the constants beside it", names[0])
	}
	return s.Key
}

// CallerFingerprint returns the fingerprint of the type that compiled callers of a function rely on.
func (s *Symbol) CallerFingerprint() string {
	if s.InstanceFingerprint != "" {
		return s.InstanceFingerprint
	}
	return s.Fingerprint
}

// MentionedPackage returns the first package of paths that a symbol's source or type mentions, or "".
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

// IsUnnamed reports whether s cannot be used by name: an init function or a declaration named _.
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

// WrapperSymbols returns the link symbols of the promoted method that may take the place of
// method s when s is removed.
func (s *Symbol) WrapperSymbols() []string {
	if s.Recv == "" {
		return nil
	}
	return []string{"main." + mangle.Name(s.Recv) + "." + s.GoName, "main.(*" + mangle.Name(s.Recv) + ")." + s.GoName}
}

// LinkSymbol returns the name of a function or variable in the object.
func (s *Symbol) LinkSymbol() string {
	switch {
	case s.Recv == "":
		return "main." + s.GoName
	case s.Decl.PtrRecv:
		return "main.(*" + mangle.Name(s.Recv) + ")." + s.GoName
	}
	return "main." + mangle.Name(s.Recv) + "." + s.GoName
}

// A LinkName describes the newest link symbol of a variable or function. Fingerprint is the
// CallerFingerprint of the symbol that it was chosen for.
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

// Next returns the link name after l for a symbol that code compiled for l cannot use. For a function it is
// the former link name with this fingerprint, if there is one, else a new one. For a variable it is always
// new, since the variable with the former name may hold an old value.
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
