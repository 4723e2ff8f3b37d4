// Package link loads compiled Go objects into the running process: it does at
// run time, symbol by symbol, what cmd/link does for a whole program, against
// the process's own symbols and everything loaded before.
//
// It is used by the worker, whose image carries an index of its symbols.
// The runtime structures it extends differ between Go versions; they stand in
// files named after the version.
package link

import (
	"sync"
	"time"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/definers"
	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/symindex"
)

// A Linker is the one linker of this process.
type Linker struct {
	mu               *sync.Mutex // that of mod: loads happen one after another
	index            *symindex.Index
	runtime          *goruntime.Runtime
	mod              *moduledata.Module
	archives         Archives
	replacedPackages []string // packages of another version than the image's
	packages         map[string]*pkg
	definers         definers.Index

	globals         map[symKey]uintptr          // symbols of packages, by name
	stubs           map[string]*stub            // functions and methods of the notebook
	genericLiterals map[string]bool             // function literals of generic code that have stubs, without type arguments
	buildsBelow     map[buildQuery]builtAgainst // what packages need of those that were replaced
	mixedBuilds     map[string]bool             // notices that were given
	formerStubs     map[string][]*stub          // of methods that had another type then
	vars            map[string]*variable
	types           map[string]*typeRecord // descriptors that involve notebook types
	initStates      map[string]*initState  // of the packages that were loaded, by the name of the init task
	gotSlots        map[uintptr]uintptr    // slots for addresses out of reach
	uses            map[uintptr]int        // what functions and constants of the notebook refer to, by address: an index into useList
	useList         [][]uintptr

	// Variables that no name means any more; see oldvars.go.
	oldVars       []oldVariable
	keptVars      []OldVariable   // after the last search
	dropped       map[string]bool // symbols of variables and functions
	cellFuncs     map[string]bool // functions that belong to one cell and no other can name
	notebookTypes []uintptr       // descriptors of notebook types, old ones too
	nextSearch    time.Time       // the earliest time to look for uses again

	reflected   *goruntime.ReflectCaches
	typeCachers map[string]bool          // packages that may have a cache by type; see noteTypeCacher
	retired     map[itabKey]*retiredItab // tables of values whose type no longer implements the interface

	// Packages under edit; see Reload.
	live           map[string]bool
	renewed        map[string]int // by symbol prefix: when its types were last made anew
	typeGeneration int            // counts Reloads that make types anew
	reloaded       []string       // packages whose functions the next load replaces
}

// A stub is the permanent address of a notebook function. It jumps to the
// newest body, so callers, func values, method tables and interface tables
// follow a redefinition.
type stub struct {
	name string
	addr uintptr
	slot uintptr // holds the address of the body
	typ  string  // of a method: the symbol of its type, without the receiver
}

type variable struct {
	addr, size uintptr
	typ        uintptr
}

// An oldVariable is one that is to be cleared. Its address is kept inverted, so
// that a search of memory does not find this mention of it.
type oldVariable struct {
	name  string
	where uintptr
	size  uintptr
	typ   uintptr
}

func (v *oldVariable) addr() uintptr { return ^v.where }

// An OldVariable is one that was kept, and why.
type OldVariable struct{ Name, Why string }

type initPhase uint8

const (
	initLoaded initPhase = iota // it has not begun
	initRunning
	initFailed
	initDone
)

// An initState is how far the initialization of a loaded package has come.
type initState struct {
	path    string
	def     defRef
	deps    []string // names of the init tasks that were to run before it when it was loaded
	phase   initPhase
	attempt *PackageInit               // the attempt that runs
	vars    []moduledata.SavedVariable // its variables, until it is initialized
}

func (s *initState) done() bool { return s != nil && s.phase == initDone }

// A itabKey is what an interface table is for.
type itabKey struct{ inter, typ uintptr }

// A retiredItab is an interface table that existing values use and that assertions
// no longer find.
type retiredItab struct {
	itab    *goruntime.Itab
	standIn *goruntime.Itab // what stands in its place in the runtime's table
}

// A target is the resolution of a reference: a fixed address or a node.
type target struct {
	addr uintptr
	node *node
}

func (t target) address() uintptr {
	if t.node == nil {
		return t.addr
	}
	switch {
	case t.node.stub != nil:
		return t.node.stub.addr
	case t.node.reflectType != nil:
		return uintptr(t.node.reflectType)
	}
	return t.node.addr
}

// A node is a symbol that the current load places in memory.
type node struct {
	obj  *object
	i    int
	sym  goobj.Sym
	name string
	kind goobj.Kind

	align       uintptr
	addr        uintptr // set by layout
	stub        *stub   // a notebook function: what others refer to
	global      bool    // stays known by name after the load
	typ         *typeRecord
	itab        [2]target      // of an interface table: the interface and the concrete type
	assignTo    *variable      // a notebook variable that gets this content as its new value
	reflectType unsafe.Pointer // the same type, made by reflect before: what others refer to
	info        goobj.FuncInfo

	relocs []goobj.Reloc
	values []target // what relocs refer to

	referrer    *node // what first referred to it, by the relocation at fromOff; nil for a root
	referrerOff int32
}

// A load is the state of one Load call. Nothing of it reaches the Linker
// before everything is resolved.
type load struct {
	*Linker
	main     *object
	fresh    map[string]bool
	renewed  map[string]bool
	literals map[string]bool // of generic code, without type arguments

	methodNames    map[string]bool   // of the fresh methods
	renewedMethods map[string]bool   // the renewed ones, with the receiver
	methodTypes    map[string]string // see methodType
	newNames       map[string]bool   // of types, once newTypes has run

	nodes  []*node
	queue  []*node
	byDef  map[defRef]*node
	byName map[symKey]*node
	itabs  map[[2]target]*node

	resolving    *node             // being resolved
	resolvingOff int32             // its relocation that is
	initParents  map[string]string // init tasks: which one first asks for another; not those that the cell imports

	descriptors   map[string]int         // of notebook types in the cell's object, by name; see descriptor
	decidedTypes  map[string]*typeRecord // decided: the old record, or nil for a new type
	stubs         []*stub
	returnedStubs []*stub                  // former ones that lead to this load's methods
	stubPositions map[*stub]sourcePosition // of functions whose stubs exist already
	reset         []string
	notices       []string
	methodUpdates []methodUpdate
	newGOTSlots   map[uintptr]uintptr // for Linker.got
}

// A sourcePosition is where a function begins in its source, as the runtime's tables
// have it for a function of one line.
type sourcePosition struct {
	unit, pcfile, pcline uint32
	line                 int32
}

// A typeRecord remembers the descriptor of a type that involves notebook
// types, as the object had it, so that a later cell's descriptor of the same
// name can be compared.
type typeRecord struct {
	name       string
	addr       uintptr
	data       []byte
	fields     []typeRef // relocations, in order
	generation int       // of the linker when it was made
	hasRoom    bool      // there is space for an uncommon part, which a type without methods lacks
}

// A typeRef is one relocation of a descriptor.
type typeRef struct {
	off    int32
	add    int64
	target string // name of the symbol referred to
}

// A methodUpdate gives a type that stayed the same a new method table.
type methodUpdate struct {
	rec *typeRecord
	n   *node
}

// New prepares the process for loading. It must be called once, before other
// goroutines depend on the module list.
func New(h *goruntime.Runtime, archives Archives) (*Linker, error) {
	m, err := moduledata.New(h)
	if err != nil {
		return nil, err
	}
	r, err := goruntime.NewReflectCaches(h)
	if err != nil {
		return nil, err
	}
	l := &Linker{
		reflected: r,
		index:     h.Index, runtime: h, mod: m, mu: &m.Mutex, archives: archives,
		packages:        map[string]*pkg{},
		globals:         map[symKey]uintptr{},
		stubs:           map[string]*stub{},
		buildsBelow:     map[buildQuery]builtAgainst{},
		mixedBuilds:     map[string]bool{},
		formerStubs:     map[string][]*stub{},
		genericLiterals: map[string]bool{},
		vars:            map[string]*variable{},
		types:           map[string]*typeRecord{},
		initStates:      map[string]*initState{},
		gotSlots:        map[uintptr]uintptr{},
		uses:            map[uintptr]int{},
		live:            map[string]bool{},
		renewed:         map[string]int{},
		retired:         map[itabKey]*retiredItab{},
		cellFuncs:       map[string]bool{},
		typeCachers:     map[string]bool{},
	}
	return l, goruntime.HookAssertions(h)
}

// Module returns where everything is loaded.
func (l *Linker) Module() *moduledata.Module { return l.mod }
