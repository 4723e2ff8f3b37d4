package link

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// Archives finds the archives of compiled packages.
type Archives interface {
	// Archive returns the path of a package's archive.
	Archive(path string) (file string, err error)
	// Has reports whether there is a package with this import path.
	Has(path string) bool
	// All returns the paths of all archives, by import path.
	All() (map[string]string, error)
	// Thin returns the path of the archive of a package without the bodies of its generic code, or "" if there is none.
	Thin(path string) (file string, err error)
}

type symKey struct {
	name string
	abi  uint16
}

// keyABI returns the ABI in the key of a symbol: its calling convention for a function, and
// ABI0 for data.
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
	defs map[symKey]defRef // built by the first find
	init *initState        // nil before its init task is loaded, or if it has none
}

type defRef struct {
	obj *object
	i   int
}

// An object is an object file with the addresses of its loaded symbols.
type object struct {
	*goobj.Object
	pkg    *pkg
	name   string
	isMain bool            // the object is that of the cell that is being loaded
	addrs  map[int]uintptr // addresses of loaded symbols, by index

	imports map[string][8]byte // fingerprints by import path; see fingerprint
	checked map[string]*pkg    // packages that imported has found to be the right build
}

// find returns the definition of a symbol in the package.
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
		return goobj.FuncInfo{}, fmt.Errorf("cannot read the information about the function %s, which is in another object; this is a bug in Perijove; please report it", s.Name())
	}
	return goobj.ReadFuncInfo(o.Sym(i).Data())
}

func isType(s goobj.Sym, name string) bool {
	return s.IsType() && strings.HasPrefix(name, "type:")
}

// isTentative reports whether s is a variable without content and with a //go:linkname line, as in var x T:
// another package may define it with content.
func isTentative(s goobj.Sym) bool {
	return s.IsLinkname() && s.Kind().IsVar() && len(s.Data()) == 0
}
