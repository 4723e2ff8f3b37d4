package link

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
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

// isTentative reports whether a definition is only the wish for a variable that
// another package may define with content: var x T under a linkname.
func isTentative(s goobj.Sym) bool {
	return s.IsLinkname() && s.Kind().IsVar() && len(s.Data()) == 0
}
