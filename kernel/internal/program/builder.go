package program

import (
	"fmt"
	"go/ast"
	"sort"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// A builder takes one cell through the passes. Each embedded struct holds the
// results of the pass that it is named after.
type builder struct {
	p      *Program
	table  *symtab.Table
	cell   *cell.Cell
	origin *symtab.Origin

	declaring
	resolving
	redefining
	literals
	generics
	initializing

	linkNames map[string]symtab.LinkName
	shape     *shape
	lastCheck *symtab.Check
	effects   effects.Effects
	flags     []string // command line flags that the cell defines
	notices   []string
	returns   []string
	// explanation is set by Explain.
	explanation *compiler.Explanation
}

// declaring holds the declarations of the cell.
type declaring struct {
	fresh   map[string]*symtab.Symbol   // the cell's declarations except variables, by name
	methods map[string][]*symtab.Symbol // the cell's methods, by receiver
	decls   []*symtab.Symbol            // the cell's functions, types and constants, in order
	specs   []*emit.Spec                // variable specifications of a cell without statements
	stmts   []*emit.Stmt
	vars    map[string]*symtab.Symbol // variables that the cell declares, by name
}

// resolving holds the meanings of names.
type resolving struct {
	bindings     map[string]symtab.Binding // meanings of free names in the cell's declarations
	stmtBindings map[string]symtab.Binding // meanings in its statements, before a statement defines the name
	unbound      map[string][]string       // names before a dot that have no meaning, with the names after the dot
	imports      map[string]string
	dots         []string
	blanks       []string
	importPos    map[string]cell.Pos
	mentioned    map[string]bool // names in the cell's source; selected names begin with a dot
}

// redefining holds the changes of the cell to older declarations.
type redefining struct {
	recompiled      map[*symtab.Symbol]*symtab.Symbol // older symbols that are compiled again, with their new copies
	recompiledOrder []*symtab.Symbol                  // keys of recompiled, in order
	returning       []*symtab.Symbol                  // copies of set-aside symbols, which are compiled again as a trial
	returningByName map[string]*symtab.Symbol         // returning, by name
	stillBroken     map[*symtab.Symbol]bool           // symbols in returning that still do not compile
	broken          map[*symtab.Symbol]string         // older symbols that no longer compile, and why
	brokenOrder     []*symtab.Symbol                  // keys of broken, in order
	reset           []*symtab.Symbol                  // variables whose type changed
	byFollowed      map[*symtab.Symbol]bool           // those of recompiled that use a changed constant or changed generic code
	touched         map[string]bool                   // types whose methods or wrappers the unit compiles again; see addTouched
}

// literals holds facts about function literals. The code of a literal may stay in use after its cell has ended.
// A literal follows a declaration if it gets new code when that declaration changes; see literals.go.
type literals struct {
	outliving         map[string]bool                   // functions and methods that function literals of the unit use
	methodValues      []string                          // methods that literals call or that are used as values, with a leading dot
	statements        *symtab.Symbol                    // the cell's literals that follow something; nil if there are none
	literalHolders    []*symtab.Symbol                  // statements of older cells with literals that follow a declaration which the cell changes
	keptLiterals      []string                          // the places of literals that keep old code although the cell changes a declaration that they use
	promoting         map[string]bool                   // types whose methods are promoted to types that the cell's statements declare
	recompiledHolders map[*symtab.Symbol]*symtab.Symbol // literalHolders, with the copies that the unit compiles
}

// generics holds the instances of generic code, and the types without a name, that the
// unit uses.
type generics struct {
	instances   []symtab.Instance
	structs     []*typetext.Text // struct types without a name that embed types of the notebook
	noInstances bool             // leave out the instances of older cells: a new definition does not compile with them
}

// initializing describes the initial values of variables in child processes.
type initializing struct {
	firstValues   []emit.FirstValue
	altered       effects.Names // variables that the cell's code changes after they get their initial values
	alteredInside effects.Names // the variables in altered of which the code changes a part, such as an element or a field
}

func newBuilder(p *Program, c *cell.Cell) *builder {
	return &builder{
		p: p, table: p.table, cell: c,
		origin:    &symtab.Origin{Cell: c.N, Source: c.Src},
		linkNames: map[string]symtab.LinkName{},
		declaring: declaring{
			fresh:   map[string]*symtab.Symbol{},
			methods: map[string][]*symtab.Symbol{},
			vars:    map[string]*symtab.Symbol{},
		},
		resolving: resolving{
			bindings:     map[string]symtab.Binding{},
			stmtBindings: map[string]symtab.Binding{},
			unbound:      map[string][]string{},
			imports:      map[string]string{},
			importPos:    map[string]cell.Pos{},
		},
		redefining: redefining{
			recompiled:      map[*symtab.Symbol]*symtab.Symbol{},
			broken:          map[*symtab.Symbol]string{},
			returningByName: map[string]*symtab.Symbol{},
			stillBroken:     map[*symtab.Symbol]bool{},
			byFollowed:      map[*symtab.Symbol]bool{},
		},
		literals: literals{
			outliving:         map[string]bool{},
			promoting:         map[string]bool{},
			recompiledHolders: map[*symtab.Symbol]*symtab.Symbol{},
		},
	}
}

// A shape is the result of the shape pass for the cell's statements.
type shape struct {
	result  *check.Result
	entry   *ast.FuncDecl // the function with the cell's statements, one for each of builder.stmts; nil if there are none
	topVars []*ast.Ident  // variables that the statements define
	in      map[*symtab.Symbol]emit.Form
}

// recompiledSymbols lists the symbols that are compiled again.
func (b *builder) recompiledSymbols() []*symtab.Symbol {
	var out []*symtab.Symbol
	for _, old := range b.recompiledOrder {
		if _, gone := b.broken[old]; !gone {
			out = append(out, b.recompiled[old])
		}
	}
	return append(out, b.returning...)
}

// declared lists the symbols that the cell declares, in a stable order.
func (b *builder) declared() []*symtab.Symbol {
	var out []*symtab.Symbol
	for _, s := range b.decls {
		if !s.IsUnnamed() {
			out = append(out, s)
		}
	}
	var names []string
	for name := range b.vars {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		out = append(out, b.vars[name])
	}
	return out
}

func (b *builder) notice(format string, args ...any) {
	b.notices = append(b.notices, fmt.Sprintf(format, args...))
}
