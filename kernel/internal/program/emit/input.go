package emit

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// An Input describes a unit for an Emitter.
type Input struct {
	Origin       *symtab.Origin
	Scope        Scope
	Packages     *exportdata.Packages
	Runtime      string // import path of the package whose functions the cell's code calls
	Standalone   string // import path of the package whose Main runs the cell; "" if the unit is not a program
	IsShape      bool   // for the shape pass: statements unchanged, functions without bodies
	WithBodies   bool   // write the bodies of the cell's functions even if IsShape is set
	IsTimed      bool   // the time of the whole cell is measured
	KeepsContext bool   // the notebook has a variable ctx that holds a context

	Older        map[*symtab.Symbol]Form
	Decls        []*symtab.Symbol // the cell's functions, types, constants, in order
	Specs        []*Spec          // variable specifications of a cell without statements
	Stmts        []*Stmt
	Vars         map[string]*symtab.Symbol // variables that the cell declares, by name
	Main         *symtab.Symbol            // the cell's function main, or nil
	Bindings     map[string]symtab.Binding // meanings of free names in the cell's declarations
	Before       map[string]symtab.Binding // meanings in its statements, before a statement defines the name
	BlankImports []string                  // packages that are imported for their side effects

	FirstValues    []FirstValue
	LiteralHolders []*symtab.Symbol // statements of older cells whose literals are compiled again
	Wrapped        []*symtab.Symbol // older methods and generic functions that are compiled again
	TouchedTypes   []*symtab.Symbol // generic types whose methods or wrappers are compiled again
	TouchedStructs []*typetext.Text
}

// A Scope looks names up for an emitter.
type Scope interface {
	// Lookup returns the symbol that a name means in a declaration, or nil.
	Lookup(name string) *symtab.Symbol
	// LookupBefore returns the symbol that a name means in a statement before the
	// cell's statements define it, or nil.
	LookupBefore(name string) *symtab.Symbol
	// MayOutlive reports whether s may be called by code that is not compiled again
	// when s is redefined.
	MayOutlive(s *symtab.Symbol) bool
	// HasFollowers reports whether function literals of s follow constants or generic code.
	HasFollowers(s *symtab.Symbol) bool
	// Instances lists the instances of the generic function s, or of its receiver, that older cells used.
	Instances(s *symtab.Symbol) []symtab.Instance
}

// EntryName returns the name of the function that runs the statements of cell n.
func EntryName(n int) string { return fmt.Sprintf("cell%s%d", mangle.Mark, n) }

// InitialName returns the name of the function that gives the variables of cell n their initial values in a child.
func InitialName(n int) string { return fmt.Sprintf("initial%s%d", mangle.Mark, n) }

// A Form says whether a unit needs all of a symbol or only its signature.
type Form uint8

const (
	Signature Form = iota // a function without its body
	Full
)

// A Spec is a variable specification at package level.
type Spec struct {
	Source cell.Source
	Var    *cell.VarSpec
	Names  []cell.Ref
	Owner  *symtab.Symbol // holds the origin and the bindings
}

// A Stmt is a statement of the cell with the facts that the passes add for the entry function.
type Stmt struct {
	*cell.Stmt
	IsStatic bool // a var declaration without initializers or with constants only
	Show     ShowMode
	IsResult bool // the expression whose value the cell shows
	Result   *symtab.Result

	KeptValues, KeptVars []Kept // unused values and variables of a Loop

	// Retyped are the quoted names of the variables that it declares with
	// another type than before.
	Retyped []string
}

type ShowMode uint8

const (
	NotShown  ShowMode = iota
	Discarded          // evaluate, show nothing
	Shown
	ShownAsError
	ShownAsRune
)

// A Kept is a value or variable of a repeated statement that the cell does not use. Generated code uses it, so
// that the compiler does not remove its computation.
type Kept struct {
	Results int    // number of values of an expression; 0 for a call without results
	Address string // "&" for a large variable, else ""
}

// A FirstValue is a variable specification, or a statement that declares
// variables, whose values child processes can compute themselves.
type FirstValue struct {
	Stmt      *Stmt
	Spec      *Spec
	ErrorVars []string // those of its variables that may hold an error
}
