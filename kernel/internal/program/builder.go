package program

import (
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// A builder carries one cell through the passes. What a pass finds out stands in
// the structure that is named after it.
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
	flags     []string // that the cell defines
	notices   []string
}

// declaring is what the cell declares.
type declaring struct {
	fresh   map[string]*symtab.Symbol   // by name: what the cell declares
	methods map[string][]*symtab.Symbol // fresh methods by receiver
	decls   []*symtab.Symbol            // fresh functions, types, constants, in order
	specs   []*emit.Spec                // variable specifications of a cell without statements
	stmts   []*emit.Stmt
	vars    map[string]*symtab.Symbol // variables that the cell makes
}

// resolving is what names mean.
type resolving struct {
	bindings     map[string]symtab.Binding // what free names mean in the cell's declarations
	stmtBindings map[string]symtab.Binding // and in its statements, before these define them
	unbound      map[string][]string       // selector bases that nothing explains, with what is selected
	imports      map[string]string
	dots         []string
	blanks       []string
	importPos    map[string]cell.Pos
	mentioned    map[string]bool // names that the cell's source has; methods with a dot before
}

// redefining is what the cell changes in older declarations.
type redefining struct {
	recompiled      map[*symtab.Symbol]*symtab.Symbol // copies of symbols that are compiled again
	recompiledOrder []*symtab.Symbol                  // keys of recomp in order
	returning       []*symtab.Symbol                  // set-aside symbols that are tried again
	returningByName map[string]*symtab.Symbol         // the same by name
	stillBroken     map[*symtab.Symbol]bool           // those of back that did not compile
	broken          map[*symtab.Symbol]string         // older symbols that no longer compile, and why
	brokenOrder     []*symtab.Symbol                  // keys of dropped in order
	reset           []*symtab.Symbol                  // variables whose type changed
	byFollowed      map[*symtab.Symbol]bool           // symbols that are compiled again because of what function literals follow
	touched         map[string]bool                   // types whose methods or wrappers the unit makes anew; see touch
}

// literals is what is known of function literals, whose code may outlive the cell.
type literals struct {
	outliving         map[string]bool                   // functions and methods that function literals of the unit use
	methodValues      []string                          // methods that literals use or that are values, with a dot before
	statements        *symtab.Symbol                    // of the cell: literals that follow something; nil if there are none
	literalHolders    []*symtab.Symbol                  // statements of older cells with literals that follow what the cell changes
	keptLiterals      []string                          // where there are literals that do not follow what the cell changes
	promoting         map[string]bool                   // types with methods that are promoted in types that the cell's statements declare
	recompiledHolders map[*symtab.Symbol]*symtab.Symbol // copies of them, as compiled now
}

// generics are the instances of generic code, and types without a name, that the
// unit uses.
type generics struct {
	instances   []symtab.Instance
	structs     []*typetext.Text // struct types without a name that embed types of the notebook
	noInstances bool             // of older cells: they do not suit a new definition
}

// initializing is how variables begin in child processes.
type initializing struct {
	firstValues   []emit.FirstValue
	altered       effects.Names // variables that the cell's code changes after their first values
	alteredInside effects.Names // those of altered in whose memory something is changed
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
