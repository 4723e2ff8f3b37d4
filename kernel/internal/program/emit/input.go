package emit

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// An Input is what an emitter writes.
type Input struct {
	Origin       *symtab.Origin
	Scope        Scope
	Packages     *exportdata.Packages
	Runtime      string // import path of the package whose functions the cell's code calls
	Standalone   string // import path of the package whose Main runs the cell; "" if the unit is no program
	IsShape      bool   // statements as written, no bodies
	WithBodies   bool   // of the cell's functions, in a shape too
	IsTimed      bool   // the cell
	KeepsContext bool   // the notebook has a variable ctx that holds a context

	Older        map[*symtab.Symbol]Form
	Decls        []*symtab.Symbol // the cell's functions, types, constants, in order
	Specs        []*Spec          // variable specifications of a cell without statements
	Stmts        []*Stmt
	Vars         map[string]*symtab.Symbol // variables that the cell makes
	Main         *symtab.Symbol            // the cell's function of this name, or nil
	Bindings     map[string]symtab.Binding // what free names mean in the cell's declarations
	Before       map[string]symtab.Binding // and in its statements, before these define them
	BlankImports []string                  // packages that are imported for their effect

	FirstValues    []FirstValue
	LiteralHolders []*symtab.Symbol // statements of older cells, for their literals
	Wrapped        []*symtab.Symbol // older methods and generic functions that are compiled again
	TouchedTypes   []*symtab.Symbol // generic types whose methods or wrappers are made anew
	TouchedStructs []*typetext.Text
}

// A Scope tells what an emitter asks about names.
type Scope interface {
	// Lookup returns what a declaration means by a name.
	Lookup(name string) *symtab.Symbol
	// LookupBefore returns what a statement means by a name that the cell's
	// statements have not defined.
	LookupBefore(name string) *symtab.Symbol
	// MayOutlive reports whether code may call s that is not compiled again when
	// s is redefined.
	MayOutlive(s *symtab.Symbol) bool
	// HasFollowers reports whether function literals of s follow constants or generic code.
	HasFollowers(s *symtab.Symbol) bool
	// Instances lists the instances of generic code that older cells made.
	Instances(s *symtab.Symbol) []symtab.Instance
}

// EntryName is the function that runs a cell's statements.
func EntryName(n int) string { return fmt.Sprintf("cell%s%d", mangle.Mark, n) }

// InitialName is the function that gives variables their first values in a child.
func InitialName(n int) string { return fmt.Sprintf("initial%s%d", mangle.Mark, n) }

// A Form says how much of a symbol a unit needs.
type Form uint8

const (
	Signature Form = iota // a function without body: it is loaded, or not needed yet
	Full
)

// A Spec is a variable specification at package level.
type Spec struct {
	Source cell.Source
	Var    *cell.VarSpec
	Names  []cell.Ref
	Owner  *symtab.Symbol // carries the origin and the bindings
}

// A Stmt is a statement of the cell on its way into the entry function.
type Stmt struct {
	*cell.Stmt
	IsStatic bool // a var whose initializers are constants
	Show     ShowMode
	IsResult bool // the expression whose value the cell shows
	Result   *symtab.Result

	KeptValues, KeptVars []Kept // of a Loop

	// Retyped are the variables, quoted, that it gives their first values of
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

// A Kept value or variable is not used by the cell, and computed all the same.
type Kept struct {
	Results int    // of a value; 0 for a call of a function without
	Address string // "&" for a large variable
}

// A FirstValue is a variable specification, or a statement that declares
// variables, whose values children can give themselves.
type FirstValue struct {
	Stmt      *Stmt
	Spec      *Spec
	ErrorVars []string // of its variables, those that may hold an error
}
