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
	Standalone   string // import path of the package whose function Main runs the cell; "" if the unit is not a program
	IsShape      bool   // the files are for the shape pass: their statements are unchanged and their functions have no bodies
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
	Before       map[string]symtab.Binding // meanings of names in the cell's statements, before a statement defines the name
	BlankImports []string                  // packages that are imported for their side effects

	FirstValues    []FirstValue
	LiteralHolders []*symtab.Symbol // statements of older cells whose literals are compiled again
	Wrapped        []*symtab.Symbol // older methods and generic functions that are compiled again
	TouchedTypes   []*symtab.Symbol // generic types whose methods or wrappers are compiled again
	TouchedStructs []*typetext.Text
}

// A Scope looks names up for an emitter.
type Scope interface {
	// Lookup returns the meaning of a name in a declaration, or nil.
	Lookup(name string) *symtab.Symbol
	// LookupBefore returns the meaning of a name in a statement before the cell's statements define the name, or nil.
	LookupBefore(name string) *symtab.Symbol
	// MayOutlive reports whether s may be called by code that is not compiled again when s is redefined.
	MayOutlive(s *symtab.Symbol) bool
	// HasFollowers reports whether function literals of s follow constants or generic code.
	HasFollowers(s *symtab.Symbol) bool
	// Instances lists the instances that older cells have used: of the generic function s, or of its receiver.
	Instances(s *symtab.Symbol) []symtab.Instance
}

// EntryName returns the name of the function that runs the statements of cell n.
func EntryName(n int) string { return fmt.Sprintf("cell%s%d", mangle.Mark, n) }

// InitialName returns the name of the function that gives the variables of cell n their initial values in a child
// process.
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
	Owner  *symtab.Symbol // the symbol that has the origin and the bindings of the specification
}

// A Stmt is a statement of the cell, with facts that the passes find out about it.
type Stmt struct {
	*cell.Stmt
	IsStatic bool // the statement is a var declaration without initializers, or with constants only
	Show     ShowMode
	IsResult bool // the statement is the expression whose value the cell shows
	Result   *symtab.Result

	KeptValues, KeptVars []Kept // the values and variables of the Loop that the cell does not use

	// Retyped are the names, in quotation marks, of the variables that the statement declares with another type than
	// before.
	Retyped []string
}

// A ShowMode says how the value of an expression is shown.
type ShowMode uint8

const (
	NotShown  ShowMode = iota
	Discarded          // the expression is evaluated, and its value is not shown
	Shown
	ShownAsError
	ShownAsRune
)

// A Kept is a value or variable of a repeated statement that the cell does not use. Generated code uses it, so the
// compiler does not remove the computation of the value.
type Kept struct {
	Results int    // number of values of an expression; 0 for a call without results
	Address string // "&" if generated code uses the address, since the variable is large; else ""
}

// A FirstValue is a variable specification, or a statement that declares variables, whose values child processes can
// compute themselves.
type FirstValue struct {
	Stmt      *Stmt
	Spec      *Spec
	ErrorVars []string // those of the variables that may hold an error
}
