// Package program turns a cell and the notebook's live declarations into one object file, which the worker process
// loads.
//
// The notebook is one Go package, main. Build takes a cell through named passes: parse (package cell), resolve (what
// each free name means), shape (check signatures and statements, which gives the types of new variables), dependents
// (which older declarations must be compiled again), check (check bodies), effects (which variables the code may
// change), emit (write Go files with positions in the cell) and compile. The Go files of one cell form a unit. Build
// does not change the declarations of a Program; Commit does. A declaration is live until it is replaced, removed or
// set aside.
//
// An older declaration is one of an earlier cell. If it no longer compiles because of the current cell, it is set
// aside: it keeps its source, and later cells that declare something compile it again as a trial.
//
// A link name, or link symbol, is the name of a function or variable in the object file. A stub is the permanent
// address of a function of the notebook: it jumps to the newest code of the function (package link).
//
// Passes are methods of a builder, each in a file of its name. Code that needs no builder is in the packages below
// this folder.
package program

import (
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/hashes"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// An Importer finds compiled packages.
type Importer interface {
	exportdata.Archives
	// Importcfg returns an importcfg file that covers the packages and everything on which they depend.
	Importcfg(paths []string) (file string, err error)
}

// A packageLister is an Importer that lists the packages that can be imported: their names, by import path.
type packageLister interface{ Packages() map[string]string }

// Config holds the settings of a Program.
type Config struct {
	Compile string // path of the toolchain's compile tool
	GOROOT  string // the toolchain's root, for documentation; may be empty
	Library fs.FS  // sources of this project's module, for documentation; may be nil
	Lang    string // language version, such as "go1.26"
	Release string // release of the toolchain, such as "go1.26.8"
	Dir     string // folder for generated sources and objects; must exist
	// MemoryDir is a folder for small objects, in memory. "" means Dir.
	MemoryDir string
	Env       []string // environment of the compile tool; nil means the environment of this process
	// Flags are passed to the compile tool unchanged.
	Flags []string
	// Race reports whether to compile for the race detector; see compiler.Config.
	Race     func() bool
	Importer Importer
	// RuntimePackage is the import path of the package whose Show and ShowError functions receive the value of a cell's
	// last expression.
	RuntimePackage string
	// Standalone is the import path of a package whose function Main runs the cell.
	// If it is set, each unit is a complete program that calls Main.
	Standalone string
	// Next reports whether another Build follows the current one immediately. Next may be nil.
	Next func() bool
	// Memory returns the memory limit of a compiler process in bytes; 0 means no limit. It is called at any time,
	// also concurrently. Memory may be nil.
	Memory func() int64
	// KeepSources says that the generated Go files stay in Dir.
	KeepSources bool
	// AlwaysInline says that every unit is compiled with inlining, even if the unit gains nothing from it.
	AlwaysInline bool
}

const defaultRuntime = "github.com/perijove/perijove/kernel/internal/worker"

// A Program holds the declarations of a notebook and builds cells against them. Its
// methods may be called concurrently.
type Program struct {
	Compiler *compiler.Compiler // nil in a snapshot

	cfg  Config
	pkgs *exportdata.Packages

	isSnapshot bool // it serves one query; Build and changes are not allowed

	building sync.Mutex     // held by Build, and while the state changes
	hasher   *hashes.Hasher // used while building is held

	mu     sync.Mutex    // guards the fields below; held only briefly
	table  *symtab.Table // Build reads it without mu; it changes only while both mutexes are held
	shared bool          // a snapshot uses the table: copy it before the next change
}

// A Unit is the result of building one cell. The worker process loads and runs the unit.
type Unit struct {
	Object  string   // file of the compiled object; "" if there is nothing to load
	Entry   string   // link symbol of the func() that runs the cell; "" if there is none
	Fresh   []string // link symbols that the object defines anew; those of generic code are without type arguments
	Renewed []string // those of Fresh that need a new stub, since callers that were compiled before must keep the old stub
	// Literals are those of Fresh that are function literals of generic code.
	Literals []string
	Init     bool     // the package's init task must run before Entry
	Imports  []string // packages that the object refers to
	Retry    []string // packages whose initialization failed before and that the worker process tries to initialize again
	Flags    []string // command line flags that the cell defines
	// Retyped are the variables whose type the cell changes. The value is the message to show if the cell ends before
	// the variable gets its value.
	Retyped map[string]string
	Notices []string // warnings about declarations that were reset or set aside; one line each
	Returns []string // notices about declarations that were set aside and compile again; one line each
	Cell    *cell.Cell
	Timing  Timing
	Effects effects.Effects
	Initial Initial
	Source  *mpsource.Program // hashes of the notebook's declarations; nil if package cluster is not imported

	changes *symtab.Changes
	program *Program
}

// Timing holds the duration of a Build, and the duration of the compiler's part of it.
type Timing struct {
	Total, Compile time.Duration
}

// Variable and Declaration are the elements of listings.
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
		Tool: cfg.Compile, Lang: cfg.Lang, Dir: cfg.Dir, MemoryDir: cfg.MemoryDir, Env: cfg.Env, Flags: cfg.Flags, Race: cfg.Race,
		Importcfg: cfg.Importer.Importcfg, Next: cfg.Next, Memory: cfg.Memory,
		KeepSources: cfg.KeepSources, NoStandby: cfg.Standalone != "", ThinImportcfg: compiler.ThinImportcfg(cfg.Importer),
	})
	return &Program{cfg: cfg, pkgs: exportdata.New(cfg.Importer, cfg.GOROOT, cfg.Library), hasher: &hashes.Hasher{Release: cfg.Release, Library: cfg.Library, Importer: cfg.Importer}, Compiler: tool, table: symtab.NewTable()}
}

// Commit makes the unit's declarations live. Call it after the worker process has loaded the unit. A second Commit of
// the same unit does nothing.
func (p *Program) Commit(u *Unit) {
	defer p.change()()
	if u.changes == nil || u.program != p {
		return
	}
	p.table.Commit(u.changes)
	u.changes = nil
}

// change begins a change of the state and returns the function that ends it. It
// waits for a Build in progress. Queries do not wait for Builds or changes.
func (p *Program) change() (end func()) {
	p.building.Lock()
	p.mu.Lock()
	if p.shared {
		p.table, p.shared = p.table.Clone(), false
	}
	return func() {
		p.mu.Unlock()
		p.building.Unlock()
	}
}

// Initial describes the initial values of a cell's variables in child processes, which do not run cells. A variable
// whose initializer has no effects gets its initial value in a child, too. Other variables are zero there. All names
// are link symbols.
type Initial struct {
	Func    string   // a func() that gives variables their initial values; "" if the object's data holds these values
	Known   []string // variables that have the same initial value in a child
	Unknown []string // variables that are zero in a child
	Altered []string // variables of all cells that the notebook's code changes after they get their initial values
}
