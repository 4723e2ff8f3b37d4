// Package link loads compiled Go objects into the running process. It does the work of cmd/link at run time, and binds
// references to symbols of the process and of objects that were loaded before.
//
// The worker process uses this package. The executable of that process is called the image; package symindex has the
// index of its symbols. The structures of the Go runtime that this package extends differ between Go versions; they
// are in package goruntime, in files named after the version.
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

// A Linker loads objects into this process. A process has only one Linker. Its methods may be called concurrently.
type Linker struct {
	mu               *sync.Mutex // mutex of mod: loads run one after another
	index            *symindex.Index
	runtime          *goruntime.Runtime
	mod              *moduledata.Module
	archives         Archives
	replacedPackages []string // paths passed to Replace
	packages         map[string]*pkg
	thin             map[string][8]byte // fingerprints of thin packages; see thinFingerprint
	definers         definers.Index

	globals         map[symKey]uintptr          // addresses of loaded symbols of packages
	stubs           map[string]*stub            // stubs of functions and methods of the notebook, by symbol
	genericLiterals map[string]bool             // function literals of generic code that have stubs, without type arguments
	buildsBelow     map[buildQuery]builtAgainst // results of buildBelow
	mixedBuilds     map[string]bool             // notices that noteMixedBuilds has already added
	formerStubs     map[string][]*stub          // earlier stubs, by symbol, for other types of the method
	vars            map[string]*variable        // variables of the notebook, by symbol
	types           map[string]*typeRecord      // descriptors of types that involve notebook types, by symbol
	initStates      map[string]*initState       // states of the loaded packages, by the name of the init task
	gotSlots        map[uintptr]uintptr         // by address: slots with addresses that a 32-bit offset cannot reach
	uses            map[uintptr]int             // by address of a function or constant of the notebook: index into useList
	useList         [][]uintptr                 // addresses that a function or constant refers to

	// Variables that no name refers to any more; see oldvars.go.
	oldVars       []oldVariable
	keptVars      []OldVariable   // the old variables that the last search kept
	dropped       map[string]bool // symbols passed to Drop
	cellFuncs     map[string]bool // functions that belong to one cell and that other cells cannot name
	notebookTypes []uintptr       // addresses of descriptors of notebook types, including old ones
	nextSearch    time.Time       // earliest time of the next search for uses

	reflected   *goruntime.ReflectCaches
	typeCachers map[string]bool          // packages that may have a cache with types as keys; see noteTypeCacher
	retired     map[itabKey]*retiredItab // interface tables of types that no longer implement the interface

	// Packages under edit; see Reload.
	live           map[string]bool // by import path: packages under edit
	renewed        map[string]int  // by symbol prefix: the value of typeGeneration when the package last got new types
	typeGeneration int             // number of Reloads that gave packages new types
	reloaded       []string        // packages whose functions the next load replaces
}

// A stub is a small piece of code that is the permanent address of a notebook function. It
// jumps to the newest body, so that callers, func values, method tables and interface tables
// always use the newest definition.
type stub struct {
	name string
	addr uintptr
	slot uintptr // address of the word that holds the address of the body
	typ  string  // for a method: the symbol of its type, without the receiver
}

type variable struct {
	addr, size uintptr
	typ        uintptr
}

// An oldVariable is a variable that will be cleared when nothing uses it. Its address is stored inverted, so that a
// search of memory for pointers to the variable does not find this address.
type oldVariable struct {
	name  string
	where uintptr // the inverted address
	size  uintptr
	typ   uintptr
}

func (v *oldVariable) addr() uintptr { return ^v.where }

// An OldVariable is a variable that Clear has kept although no name refers to it any more, with the reason.
type OldVariable struct{ Name, Why string }

type initPhase uint8

const (
	initLoaded initPhase = iota // the initialization has not begun
	initRunning
	initFailed
	initDone
)

// An initState is the state of the initialization of a loaded package.
type initState struct {
	path    string
	def     defRef
	deps    []string // names of the init tasks that must run before it
	phase   initPhase
	attempt *PackageInit               // the attempt in progress, or nil
	vars    []moduledata.SavedVariable // initial contents of its variables, until it is initialized
}

func (s *initState) done() bool { return s != nil && s.phase == initDone }

// An itabKey identifies an interface table by the addresses of the interface and the concrete type.
type itabKey struct{ inter, typ uintptr }

// A retiredItab is an interface table that existing values use but that type assertions
// no longer find.
type retiredItab struct {
	itab    *goruntime.Itab
	standIn *goruntime.Itab // the entry that replaces it in the runtime's table
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
	stub        *stub   // for a notebook function: its stub, which other symbols refer to
	global      bool    // later loads find it by name
	typ         *typeRecord
	itab        [2]target      // for an interface table: the interface and the concrete type
	assignTo    *variable      // the notebook variable that gets this content as its new value
	reflectType unsafe.Pointer // the same type, which reflect made earlier; other symbols refer to this one
	info        goobj.FuncInfo

	relocs []goobj.Reloc
	values []target // targets of relocs

	referrer    *node // the symbol that first referred to it, by the relocation at referrerOff; nil for a root
	referrerOff int32
}

// A load is the state of one call of Load. It does not change the Linker
// before commit.
type load struct {
	*Linker
	main     *object
	fresh    map[string]bool
	renewed  map[string]bool
	literals map[string]bool // Request.Literals

	methodNames    map[string]bool   // names of the fresh methods
	renewedMethods map[string]bool   // names of the renewed methods, with the receiver
	methodTypes    map[string]string // see methodType
	newNames       map[string]bool   // result of newTypes; nil before its first call

	nodes  []*node
	queue  []*node
	byDef  map[defRef]*node
	byName map[symKey]*node
	itabs  map[[2]target]*node

	resolving    *node             // the node whose references are being resolved
	resolvingOff int32             // offset of the relocation that is being resolved
	initParents  map[string]string // by init task: the init task that first needs it; "" for packages that the cell imports

	descriptors   map[string]int           // indices of notebook types in the cell's object, by name; see descriptor
	decidedTypes  map[string]*typeRecord   // by name: the old record if the type is the same as before, or nil for a new type
	stubs         []*stub                  // new stubs
	returnedStubs []*stub                  // former stubs that this load's methods use again
	stubPositions map[*stub]sourcePosition // new positions for stubs that exist already
	reset         []string
	notices       []string
	methodUpdates []methodUpdate
	newGOTSlots   map[uintptr]uintptr // additions to Linker.gotSlots
}

// A sourcePosition is the position in the source at which a function begins. It has the form
// that the runtime's tables use for a function with one line.
type sourcePosition struct {
	unit, pcfile, pcline uint32
	line                 int32
}

// A typeRecord holds the descriptor of a type that involves notebook
// types, as it is in the object, to be compared with a later cell's descriptor of the same name.
type typeRecord struct {
	name       string
	addr       uintptr
	data       []byte
	fields     []typeRef // relocations, in order
	generation int       // value of typeGeneration when it was loaded
	hasRoom    bool      // there is space for an uncommon part, which a descriptor has only if the type has methods
}

// A typeRef is a relocation of a descriptor.
type typeRef struct {
	off    int32
	add    int64
	target string // name of the symbol referred to
}

// A methodUpdate moves the method table in the new descriptor n to the existing descriptor
// of the same type.
type methodUpdate struct {
	rec *typeRecord
	n   *node
}

// New prepares the process for loading and returns its Linker. It must be called only once, before other goroutines
// use the runtime's list of modules.
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
		thin:            map[string][8]byte{},
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

// Module returns the module into which code and data are loaded.
func (l *Linker) Module() *moduledata.Module { return l.mod }
