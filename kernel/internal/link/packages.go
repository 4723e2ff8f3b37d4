package link

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symindex"
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

type symKey struct {
	name string
	abi  uint16
}

// keyABI is the calling convention that tells symbols of one name apart: only
// functions have one.
func keyABI(s goobj.Sym) uint16 {
	if s.Kind().IsText() {
		return s.ABI()
	}
	return goobj.ABI0
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
	pkg    *pkg
	name   string
	isMain bool            // the cell being loaded
	addrs  map[int]uintptr // symbols that have an address for good

	imports map[string][8]byte // fingerprints by import path; see imported
	checked map[string]*pkg    // packages that are what imports says
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

func funcInfo(o *object, s goobj.Sym) (goobj.FuncInfo, error) {
	ref, ok := s.Aux(goobj.AuxFuncInfo)
	if !ok {
		return goobj.FuncInfo{}, nil
	}
	i, ok := o.Index(ref)
	if !ok {
		return goobj.FuncInfo{}, fmt.Errorf("function information of %s is elsewhere", s.Name())
	}
	return goobj.ReadFuncInfo(o.Sym(i).Data())
}

func isType(s goobj.Sym, name string) bool {
	return s.IsType() && strings.HasPrefix(name, "type:")
}

// definerIndex is the index: of all compiled packages that the process may use. It
// is made when it is first needed. What an archive defines is read once.
type definerIndex struct {
	files  map[string][]nameMark // by archive
	paths  []string              // in order
	known  map[string]string     // the archives of paths
	first  map[uint64]int32      // by the hash of a name: which of paths defines it
	others map[uint64][]int32    // further ones, of symbols that may be defined only once
}

// A nameMark is the hash of a defined symbol's name. Its lowest bit says
// whether all definitions are the same.
type nameMark uint64

func markOf(name string, dupok bool) nameMark {
	m := nameMark(symindex.Hash(name) &^ 1)
	if dupok {
		m |= 1
	}
	return m
}

func (m nameMark) hash() uint64 { return uint64(m &^ 1) }

// isTentative reports whether a definition is only the wish for a variable that
// another package may define with content: var x T under a linkname.
func isTentative(s goobj.Sym) bool {
	return s.IsLinkname() && s.Kind().IsVar() && len(s.Data()) == 0
}
