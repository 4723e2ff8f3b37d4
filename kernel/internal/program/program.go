// Package program turns a cell and the notebook's live declarations into one
// object for the worker.
//
// The notebook is one Go package, main. Build takes a cell through named
// passes: parse (package cell), resolve (what each free name means), shape
// (type-check signatures and statements, which gives the types of new
// variables), redefine (which older declarations must be compiled again),
// check (type-check bodies), emit (Go files with the cell's own positions) and
// compile. A Program changes in Commit alone.
package program

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// An Importer finds compiled packages.
type Importer interface {
	exportdata.Archives
	// Importcfg returns an importcfg file that covers the packages and all
	// that they depend on.
	Importcfg(paths []string) (file string, err error)
}

// A packageLister is an Importer that knows which packages are at hand: their names, by import path.
type packageLister interface{ Packages() map[string]string }

// Config says what a Program compiles with.
type Config struct {
	Compile string   // path of the toolchain's compile tool
	GOROOT  string   // the toolchain's root, for documentation; may be empty
	Lang    string   // language version, "go1.26"
	Dir     string   // where generated sources and objects go; must exist
	Env     []string // environment of the compile tool; nil for the process's own
	// Flags go to the compile tool as they are.
	Flags    []string
	Importer Importer
	// RuntimePackage is the import path of the package whose Show and
	// ShowError functions receive the value of a last expression.
	RuntimePackage string
	// Solo is the import path of a package with a function Main, which takes
	// the cell. If it is set, each unit is a whole program that calls it.
	Solo string
	// Next reports whether another Build follows the present one at once. It
	// may be nil.
	Next func() bool
	// Memory returns how much a compiler may use, in bytes; 0 for no limit. It
	// may be called at any time, and be nil.
	Memory func() int64
	// KeepSources leaves the generated Go files in Dir.
	KeepSources bool
}

const defaultRuntime = "github.com/perijove/perijove/kernel/internal/worker"

// A Program is the source side of a notebook's live state.
type Program struct {
	Compiler *compiler.Compiler // nil in a snapshot

	cfg  Config
	pkgs *exportdata.Packages

	isSnapshot bool // it serves one query, and is never built or changed

	building sync.Mutex // held by Build, and while the state changes

	mu     sync.Mutex // guards what follows; held for moments only
	*state            // read by Build without mu; it changes under both mutexes
	shared bool       // a snapshot has it: it is copied before the next change
}

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

// A Unit is what a worker must load and run for one cell.
type Unit struct {
	Object  string   // file of the compiled object, "" if there is nothing to load
	Entry   string   // link symbol of the func() that runs the cell, "" if none
	Fresh   []string // link symbols that the object defines anew, without type arguments
	Renewed []string // those of Fresh that need a new stub: old callers must keep the old one
	Init    bool     // the package's init task must run before Entry
	Imports []string // packages that the object refers to
	Retry   []string // packages that the worker is to initialize although that failed before
	Flags   []string // command line flags that the cell defines
	// Retyped are variables that have another type than before, with what to say
	// if the cell ends before they get their values.
	Retyped map[string]string
	Notices []string // what was reset, set aside, came back; a line each
	Cell    *cell.Cell
	Timing  Timing
	Effects effects.Effects
	Initial Initial

	changes *changes
	program *Program
}

// Timing says where a Build's time went.
type Timing struct {
	Total, Compile time.Duration
}

// A Variable is a notebook variable for listings.
type Variable struct {
	Name, Type string
	Cell       int
}

// A Declaration is any notebook declaration for listings. Kind is "func",
// "method", "type", "const", "var", or "import" of the path in Type.
type Declaration struct {
	Name, Kind, Type string
	Cell             int
	Aside            string // why it is set aside, if it is
	// Signature is the type of a function without the names of its parameters,
	// with packages by their paths.
	Signature string
}

// New returns an empty program.
func New(cfg Config) *Program {
	if cfg.RuntimePackage == "" {
		cfg.RuntimePackage = cfg.Solo
	}
	if cfg.RuntimePackage == "" {
		cfg.RuntimePackage = defaultRuntime
	}
	if cfg.Lang == "" {
		cfg.Lang = "go1.26"
	}
	if cfg.Env == nil {
		cfg.Env = os.Environ()
	}
	tool := compiler.New(compiler.Config{
		Tool: cfg.Compile, Lang: cfg.Lang, Dir: cfg.Dir, Env: cfg.Env, Flags: cfg.Flags,
		Importcfg: cfg.Importer.Importcfg, Next: cfg.Next, Memory: cfg.Memory,
		KeepSources: cfg.KeepSources, NoStandby: cfg.Solo != "",
	})
	return &Program{cfg: cfg, pkgs: exportdata.New(cfg.Importer, cfg.GOROOT), Compiler: tool, state: newState()}
}

// reusesVariable reports whether a var declaration, as in var x = x + 1, means
// an older variable by its own name. In a whole file that is Go's error.
func (p *Program) reusesVariable(c *cell.Cell) bool {
	if c.Package {
		return false
	}
	for _, d := range c.Decls {
		if d.Kind != cell.Var {
			continue
		}
		for _, n := range d.Names {
			old := p.names[n.Name]
			for _, r := range d.Refs {
				if old != nil && old.kind == cell.Var && r.Name == n.Name && r.Off != n.Off {
					return true
				}
			}
		}
	}
	return false
}

// replacesVariable reports whether a var declaration with a value is of a
// variable that the notebook has. Statements assign to it: it keeps its value
// if the new one cannot be had.
func (p *Program) replacesVariable(c *cell.Cell) bool {
	for _, d := range c.Decls {
		if d.Kind != cell.Var || len(d.Var.Values) == 0 {
			continue
		}
		for _, n := range d.Names {
			if old := p.names[n.Name]; old != nil && old.kind == cell.Var {
				return true
			}
		}
	}
	return false
}

// Build checks and compiles a cell against the live state. Its number is its
// execution count; 0 is for code that is no cell of the notebook, such as an
// expression that a front end asks for. The error is cell.Errors if the cell is
// at fault.
func (p *Program) Build(ctx context.Context, c *cell.Cell) (*Unit, error) {
	p.building.Lock()
	defer p.building.Unlock()
	start := time.Now()
	if p.reusesVariable(c) || p.replacesVariable(c) || embeds(c) {
		c = c.Sequence()
	}
	u, err := newBuilder(p, c).build(ctx)
	if errors.Is(err, errSequence) {
		u, err = newBuilder(p, c.Sequence()).build(ctx)
	}
	if err != nil {
		return nil, err
	}
	u.Timing.Total = time.Since(start)
	return u, nil
}
