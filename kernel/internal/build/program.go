// Package build turns a cell and the notebook's live declarations into one
// object for the worker.
//
// The notebook is one Go package, main. Build takes a cell through named
// passes: parse (package cell), resolve (what each free name means), shape
// (type-check signatures and statements, which gives the types of new
// variables), redefine (which older declarations must be compiled again),
// check (type-check bodies), emit (Go files with the cell's own positions) and
// compile. A Program changes in Commit alone.
package build

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"os"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// An Importer finds compiled packages.
type Importer interface {
	// Archive returns the file of a compiled package, which holds its export data.
	Archive(path string) (file string, err error)
	// Importcfg returns an importcfg file that covers the packages and all
	// that they depend on.
	Importcfg(paths []string) (file string, err error)
}

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
	// KeepSources leaves the generated Go files in Dir.
	KeepSources bool
}

const defaultRuntime = "github.com/perijove/perijove/kernel/internal/worker"

// A Program is the source side of a notebook's live state.
type Program struct {
	cfg  Config
	pkgs *packages

	mu       sync.Mutex
	seq      int // of units, for file names
	names    map[string]*symbol
	methods  map[string]map[string]*symbol // by receiver type, then by key
	users    map[string]map[*symbol]bool   // by name: the live symbols that refer to it
	imports  map[string]string             // import paths by local name
	dots     []string                      // dot-imported paths
	blanks   []string                      // imported for their effect; emptied once loaded
	allBlank []string
	aside    map[string]*asideSymbol
	lost     map[string]int // variables that went with a worker: name to cell
	sources  map[int]*origin
	links    map[string]linkName         // the newest link symbol of a variable or function
	saw      map[string]map[*symbol]bool // by function: those compiled with its body in sight
	last     *checked
}

// An origin is one execution of a cell.
type origin struct {
	n   int
	src string
}

// A symbol is what a name of the notebook means: a function, method, type,
// group of constants or variable. It does not change once it is live, apart
// from loaded.
type symbol struct {
	key    string // name; "T.m" for a method; first name for constants
	kind   cell.Kind
	ename  string // the name in generated code; differs from the user's when that is taken
	origin *origin
	decl   *cell.Decl // nil for a variable that := made
	binds  map[string]binding
	pragma string // //go:linkname lines from elsewhere in its cell
	recv   string // receiver type for a method

	typ     *typeText // of a variable
	witness *witness  // for a variable whose type cannot be spelled
	static  bool      // a variable that decl and the object's data initialize
	print   string    // fingerprint of the meaning for users of the name
	layout  string    // of a type or variable: fingerprint of the memory layout
	text    string    // description of the type for listings
	loaded  bool
	prints  map[string]string // of constants, by name
	bodies  []string          // functions that the compiler could inline into it
	uses    []string          // names and methods that its body uses, for redefinition
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
	notebook bindKind = iota // whatever the notebook means by the name now
	imported                 // a package
	dotted                   // an exported name of a dot-imported package
	universe                 // predeclared
)

// A Unit is what a worker must load and run for one cell.
type Unit struct {
	Object  string   // file of the compiled object, "" if there is nothing to load
	Entry   string   // link symbol of the func() that runs the cell, "" if none
	Fresh   []string // link symbols that the object defines anew, without type arguments
	Renewed []string // those of Fresh that need a new stub: old callers must keep the old one
	Init    bool     // the package's init task must run before Entry
	Imports []string // packages that the object refers to
	Notices []string // what was reset, set aside, came back; a line each
	Cell    *cell.Cell
	Timing  Timing

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
// "method", "type", "const" or "var".
type Declaration struct {
	Name, Kind, Type string
	Cell             int
	Aside            string // why it is set aside, if it is
}

// New returns an empty program.
func New(cfg Config) *Program {
	if cfg.RuntimePackage == "" {
		cfg.RuntimePackage = defaultRuntime
	}
	if cfg.Lang == "" {
		cfg.Lang = "go1.26"
	}
	if cfg.Env == nil {
		cfg.Env = os.Environ()
	}
	pkgs := newPackages(cfg.Importer)
	pkgs.goroot = cfg.GOROOT
	return &Program{
		cfg:     cfg,
		pkgs:    pkgs,
		names:   map[string]*symbol{},
		methods: map[string]map[string]*symbol{},
		users:   map[string]map[*symbol]bool{},
		imports: map[string]string{},
		aside:   map[string]*asideSymbol{},
		lost:    map[string]int{},
		sources: map[int]*origin{},
		links:   map[string]linkName{},
		saw:     map[string]map[*symbol]bool{},
	}
}

// changes is what Commit applies.
type changes struct {
	origin  *origin
	define  []*symbol           // new meanings
	loaded  []*symbol           // older ones that this unit loads (again)
	bodies  []string            // functions whose bodies the unit holds
	updates map[*symbol]*symbol // older symbol to its recompiled form
	aside   []*asideSymbol
	imports map[string]string
	dots    []string
	blanks  []string
	links   map[string]linkName
	checked *checked
	done    bool
}

// checked is what go/types found out about the last good cell.
type checked struct {
	pkg  *types.Package
	info *types.Info
}

// Commit makes the unit's declarations live: the worker has loaded it. A
// second Commit of the same unit does nothing.
func (p *Program) Commit(u *Unit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := u.changes
	if c == nil || c.done || u.program != p {
		return
	}
	c.done = true
	if c.origin.n > 0 {
		p.sources[c.origin.n] = c.origin
	}
	for _, a := range c.aside {
		p.remove(a.symbol)
		if a.kind != cell.Var {
			p.aside[a.key] = a
		}
	}
	for name, l := range c.links {
		p.links[name] = l
	}
	for old, s := range c.updates {
		p.remove(old)
		p.add(s)
	}
	for _, s := range c.define {
		p.define(s)
	}
	for _, s := range c.loaded {
		s.loaded = true
		p.sees(s, c.bodies)
	}
	for name, path := range c.imports {
		p.imports[name] = path
	}
	p.dots = append(p.dots, c.dots...)
	p.allBlank = append(p.allBlank, c.blanks...)
	p.blanks = nil
	p.last = c.checked
}

// sees notes which bodies the compiler had when it compiled s.
func (p *Program) sees(s *symbol, bodies []string) {
	for _, key := range bodies {
		if key == s.key {
			continue
		}
		if p.saw[key] == nil {
			p.saw[key] = map[*symbol]bool{}
		}
		p.saw[key][s] = true
	}
	s.bodies = bodies
}

// define gives s's names their new meaning.
func (p *Program) define(s *symbol) {
	for _, name := range s.names() {
		if old := p.names[name]; old != nil {
			p.override(old, name)
		}
		delete(p.aside, name)
		delete(p.lost, name)
		if s.recv == "" {
			delete(p.imports, name)
		}
	}
	p.add(s)
}

// override takes one name from an older symbol. A group of constants stays for
// its other names.
func (p *Program) override(old *symbol, name string) {
	for _, n := range old.names() {
		if n != name && p.names[n] == old {
			return
		}
	}
	p.remove(old)
}

func (p *Program) add(s *symbol) {
	for _, name := range s.names() {
		p.names[name] = s
	}
	if s.recv != "" {
		if p.methods[s.recv] == nil {
			p.methods[s.recv] = map[string]*symbol{}
		}
		p.methods[s.recv][s.key] = s
	}
	for _, name := range s.references() {
		if p.users[name] == nil {
			p.users[name] = map[*symbol]bool{}
		}
		p.users[name][s] = true
	}
}

func (p *Program) remove(s *symbol) {
	for _, name := range s.names() {
		if p.names[name] == s {
			delete(p.names, name)
		}
	}
	if m := p.methods[s.recv]; m != nil && m[s.key] == s {
		delete(m, s.key)
	}
	for _, name := range s.references() {
		delete(p.users[name], s)
	}
	for _, key := range s.bodies {
		delete(p.saw[key], s)
	}
}

// names are the notebook names that the symbol gives a meaning to.
func (s *symbol) names() []string {
	if s.kind != cell.Const {
		return []string{s.key}
	}
	var out []string
	for _, r := range s.decl.Names {
		if r.Name != "_" {
			out = append(out, r.Name)
		}
	}
	return out
}

// references are the notebook names that the symbol's source mentions, and the
// methods and receiver that it depends on.
func (s *symbol) references() []string {
	seen := map[string]bool{}
	var out []string
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	if s.recv != "" {
		add(s.recv)
	}
	if s.kind == cell.Var {
		if s.typ != nil {
			for _, name := range s.typ.names {
				add(name)
			}
		}
		if s.witness != nil {
			for _, r := range s.witness.refs {
				add(r.Name)
			}
		}
	}
	if s.decl != nil && (s.kind != cell.Var || s.static) {
		for _, r := range s.decl.Refs {
			if s.binds[r.Name].kind == notebook {
				add(r.Name)
			}
		}
	}
	for _, name := range s.uses {
		add(name)
	}
	return out
}

// WorkerLost forgets all variables, since they lived in the worker, and
// returns them. Functions, types and constants stay as source and are compiled
// again when a cell next reaches them.
func (p *Program) WorkerLost() []Variable {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Variable
	for _, s := range p.symbols() {
		s.loaded = false
		if s.kind == cell.Var {
			out = append(out, Variable{s.key, s.text, s.origin.n})
			p.remove(s)
			p.lost[s.key] = s.origin.n
		}
	}
	p.blanks = append([]string(nil), p.allBlank...)
	return out
}

// Variables lists the live variables in the order of their cells.
func (p *Program) Variables() []Variable {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Variable
	for _, s := range p.symbols() {
		if s.kind == cell.Var {
			out = append(out, Variable{s.key, s.text, s.origin.n})
		}
	}
	return out
}

// Declarations lists all live declarations in the order of their cells, then
// those that are set aside.
func (p *Program) Declarations() []Declaration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Declaration
	for _, s := range p.symbols() {
		for _, name := range s.names() {
			if p.names[name] == s {
				out = append(out, Declaration{Name: name, Kind: s.kindName(), Type: s.text, Cell: s.origin.n})
			}
		}
	}
	for _, a := range sortedAside(p.aside) {
		out = append(out, Declaration{Name: a.key, Kind: a.kindName(), Type: a.text, Cell: a.origin.n, Aside: a.reason})
	}
	return out
}

func (s *symbol) kindName() string {
	switch {
	case s.recv != "":
		return "method"
	case s.kind == cell.Func:
		return "func"
	case s.kind == cell.Type:
		return "type"
	case s.kind == cell.Const:
		return "const"
	}
	return "var"
}

// Remove forgets a declaration. Older functions that use it go on running as
// they are; recompiling one of them needs a new definition.
func (p *Program) Remove(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.names[name]; s != nil {
		p.override(s, name)
		delete(p.names, name)
		return nil
	}
	if _, ok := p.aside[name]; ok {
		delete(p.aside, name)
		return nil
	}
	if _, ok := p.imports[name]; ok {
		delete(p.imports, name)
		return nil
	}
	return fmt.Errorf("%s is not declared in this notebook", name)
}

// Source returns the text of an executed cell.
func (p *Program) Source(n int) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.sources[n]
	if !ok {
		return "", false
	}
	return o.src, true
}

// Checked returns what go/types knows of the last committed cell and what it
// reached: nil before the first.
func (p *Program) Checked() (*types.Package, *types.Info) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		return nil, nil
	}
	return p.last.pkg, p.last.info
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

// Build checks and compiles a cell against the live state. n is its execution
// count; 0 is for code that is no cell of the notebook, such as an expression
// that a front end asks for. The error is cell.Errors if the cell is at fault.
func (p *Program) Build(ctx context.Context, n int, src string) (*Unit, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	start := time.Now()
	c, errs := cell.Parse(n, src)
	if errs != nil {
		return nil, errs
	}
	if p.reusesVariable(c) {
		c, _ = cell.ParseSequence(n, src)
	}
	u, err := newBuilder(p, c).build(ctx)
	if errors.Is(err, errSequence) {
		c, _ = cell.ParseSequence(n, src)
		u, err = newBuilder(p, c).build(ctx)
	}
	if err != nil {
		return nil, err
	}
	u.Timing.Total = time.Since(start)
	return u, nil
}
