// Package program turns a cell and the notebook's live declarations into one
// object for the worker.
//
// The notebook is one Go package, main. Build takes a cell through named passes:
// parse (package cell), resolve (what each free name means), shape (check
// signatures and statements, which gives the types of new variables), dependents
// (which older declarations must be compiled again), check (check bodies),
// effects, emit (Go files with the cell's own positions) and compile. A Program
// changes in Commit alone.
//
// Passes are methods of a builder, each in a file of its name. What needs no
// builder is a package below this folder.
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
	"github.com/perijove/perijove/kernel/internal/program/symtab"
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
	// Standalone is the import path of a package with a function Main, which takes
	// the cell. If it is set, each unit is a whole program that calls it.
	Standalone string
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

	mu     sync.Mutex    // guards what follows; held for moments only
	table  *symtab.Table // read by Build without mu; it changes under both mutexes
	shared bool          // a snapshot has the table: it is copied before the next change
}

// A Unit is what a worker must load and run for one cell.
type Unit struct {
	Object  string   // file of the compiled object, "" if there is nothing to load
	Entry   string   // link symbol of the func() that runs the cell, "" if none
	Fresh   []string // link symbols that the object defines anew, without type arguments
	Renewed []string // those of Fresh that need a new stub: old callers must keep the old one
	// Literals are those of Fresh that are function literals of generic code.
	Literals []string
	Init     bool     // the package's init task must run before Entry
	Imports  []string // packages that the object refers to
	Retry    []string // packages that the worker is to initialize although that failed before
	Flags    []string // command line flags that the cell defines
	// Retyped are variables that have another type than before, with what to say
	// if the cell ends before they get their values.
	Retyped map[string]string
	Notices []string // what was reset, set aside, came back; a line each
	Cell    *cell.Cell
	Timing  Timing
	Effects effects.Effects
	Initial Initial

	changes *symtab.Changes
	program *Program
}

// Timing says where a Build's time went.
type Timing struct {
	Total, Compile time.Duration
}

// Variables and declarations, for listings.
type (
	Variable    = symtab.Variable
	Declaration = symtab.Declaration
)

// New returns an empty program.
func New(cfg Config) *Program {
	if cfg.RuntimePackage == "" {
		cfg.RuntimePackage = cfg.Standalone
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
		KeepSources: cfg.KeepSources, NoStandby: cfg.Standalone != "",
	})
	return &Program{cfg: cfg, pkgs: exportdata.New(cfg.Importer, cfg.GOROOT), Compiler: tool, table: symtab.NewTable()}
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
			old := p.table.Names[n.Name]
			for _, r := range d.Refs {
				if old != nil && old.Kind == cell.Var && r.Name == n.Name && r.Off != n.Off {
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
			if old := p.table.Names[n.Name]; old != nil && old.Kind == cell.Var {
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
	if errors.Is(err, errNeedsSequence) {
		u, err = newBuilder(p, c.Sequence()).build(ctx)
	}
	if err != nil {
		return nil, err
	}
	u.Timing.Total = time.Since(start)
	return u, nil
}

// Commit makes the unit's declarations live: the worker has loaded it. A
// second Commit of the same unit does nothing.
func (p *Program) Commit(u *Unit) {
	defer p.change()()
	if u.changes == nil || u.program != p {
		return
	}
	p.table.Commit(u.changes)
	u.changes = nil
}
