// Package link loads compiled Go objects into the running process: it does at
// run time, symbol by symbol, what cmd/link does for a whole program, against
// the process's own symbols and everything loaded before.
//
// It is used by the worker, whose image carries an index of its own symbols.
// The runtime structures it extends differ between Go versions; they stand in
// files named after the version.
package link

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/symindex"
	"github.com/perijove/perijove/kernel/internal/symname"
	"golang.org/x/sys/unix"
)

// Archives finds the compiled archives of packages.
type Archives interface {
	// Archive returns the file of a package.
	Archive(path string) (file string, err error)
	// Has reports whether there is such a package.
	Has(path string) bool
	// All returns the files of all packages, by import path.
	All() (map[string]string, error)
}

// A Linker is the one linker of this process.
type Linker struct {
	mu       *sync.Mutex // that of mod: loads happen one after another
	idx      *symindex.Index
	host     *goruntime.Runtime
	mod      *moduledata.Module
	archives Archives
	others   []string // packages of another version than the image's
	packages map[string]*pkg
	definers definers

	globals map[symKey]uintptr // symbols of packages, by name
	stubs   map[string]*stub   // functions and methods of the notebook
	vars    map[string]*variable
	types   map[string]*typeRecord // descriptors that involve notebook types
	inits   map[string]*initState  // of the packages that were loaded, by the name of the init task
	got     map[uintptr]uintptr    // slots for addresses out of reach
	uses    map[uintptr]int        // what functions and constants of the notebook refer to, by address: an index into useList
	useList [][]uintptr

	// Variables that no name means any more; see oldvars.go.
	old       []oldVariable
	kept      []OldVariable   // after the last search
	dropped   map[string]bool // symbols of variables and functions
	ran       map[string]bool // functions that belong to one cell and no other can name
	described []uintptr       // descriptors of notebook types, old ones too
	searchAt  time.Time       // the earliest time to look for uses again

	reflected *goruntime.ReflectCaches
	keepers   map[string]bool           // packages that may have a cache by type; see noteKeeper
	retired   map[typePair]*retiredItab // tables of values whose type no longer implements the interface

	// Packages under edit; see Reload.
	live    map[string]bool
	renewed map[string]int // by symbol prefix: when its types were last made anew
	era     int            // counts Reloads that make types anew
	pending []string       // packages whose functions the next load replaces
}

type symKey struct {
	name string
	abi  uint16
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

// A pkg is a compiled package: its Go object first, then its assembly.
type pkg struct {
	path string
	objs []*object
	defs map[symKey]defRef // made when first searched by name
	init *initState        // nil before its init task is loaded, or if it has none
}

type defRef struct {
	obj *object
	i   int
}

// An object is an object file with what is already known of its symbols.
type object struct {
	*goobj.Object
	pkg   *pkg
	name  string
	main  bool            // the cell being loaded
	fixed map[int]uintptr // symbols that have an address for good

	imports map[string][8]byte // fingerprints by import path; see imported
	checked map[string]*pkg    // packages that are what imports says
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
		idx:       h.Index, host: h, mod: m, mu: &m.Mutex, archives: archives,
		packages: map[string]*pkg{},
		globals:  map[symKey]uintptr{},
		stubs:    map[string]*stub{},
		vars:     map[string]*variable{},
		types:    map[string]*typeRecord{},
		inits:    map[string]*initState{},
		got:      map[uintptr]uintptr{},
		uses:     map[uintptr]int{},
		live:     map[string]bool{},
		renewed:  map[string]int{},
		retired:  map[typePair]*retiredItab{},
		ran:      map[string]bool{},
		keepers:  map[string]bool{},
	}
	return l, goruntime.HookAssertions(h)
}

// Module returns where everything is loaded.
func (l *Linker) Module() *moduledata.Module { return l.mod }

// openPackage maps the archive of a package; it stays mapped.
func (l *Linker) openPackage(path string) (*pkg, error) {
	if p := l.packages[path]; p != nil {
		return p, nil
	}
	file, err := l.archives.Archive(path)
	if err != nil {
		return nil, err
	}
	b, err := mapFile(file)
	if err != nil {
		return nil, fmt.Errorf("package %s: %w", path, err)
	}
	objs, err := goobj.ParseArchive(b)
	if err != nil {
		return nil, fmt.Errorf("package %s: %w", path, err)
	}
	p := &pkg{path: path}
	for i, o := range objs {
		p.objs = append(p.objs, &object{Object: o, pkg: p, name: fmt.Sprintf("%s#%d", path, i), fixed: map[int]uintptr{}})
	}
	l.packages[path] = p
	return p, nil
}

func mapFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() == 0 {
		return nil, errors.New("empty file")
	}
	return unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
}

// find returns where the package defines a symbol.
func (p *pkg) find(key symKey) (defRef, bool) {
	if p.defs == nil {
		p.defs = map[symKey]defRef{}
		for _, o := range p.objs {
			for i := range o.NumDef() {
				s := o.Sym(i)
				k := symKey{s.Name(), keyABI(s)}
				if _, dup := p.defs[k]; !dup && k.name != "" && s.ABI() != goobj.ABIStatic && !o.Hashed(i) {
					p.defs[k] = defRef{o, i}
				}
			}
		}
	}
	d, ok := p.defs[key]
	return d, ok
}

// keyABI is the calling convention that tells symbols of one name apart: only
// functions have one.
func keyABI(s goobj.Sym) uint16 {
	if s.Kind().IsText() {
		return s.ABI()
	}
	return goobj.ABI0
}

// Replace says that a package of the image is to be loaded in another version:
// its symbols, and those that mention it, are not bound to the image's.
func (l *Linker) Replace(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.others, path) {
		l.others = append(l.others, path)
	}
}

// ofOther reports whether a symbol belongs to a replaced package or mentions one.
func (l *Linker) ofOther(name string) bool {
	for _, path := range l.others {
		if symname.MentionsPackage(name, goobj.EscapePath(path)) {
			return true
		}
	}
	return false
}
