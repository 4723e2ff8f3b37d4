package link

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/symname"
)

func (ld *load) resolve(o *object, ref goobj.Ref) (target, error) {
	if ref.IsZero() {
		return target{}, nil
	}
	if ref.Pkg == goobj.PkgBuiltin {
		b, err := ld.index.Builtin(ref.Sym)
		if err != nil {
			return target{}, err
		}
		return ld.byReference(b.Name, b.ABI)
	}
	if i, ok := o.Index(ref); ok {
		return ld.resolveIndex(o, i)
	}
	p, err := ld.imported(o, o.Package(ref.Pkg))
	if err != nil {
		return target{}, err
	}
	return ld.resolveIndex(p.objs[0], int(ref.Sym))
}

func (ld *load) resolveIndex(o *object, i int) (target, error) {
	if addr, ok := o.addrs[i]; ok {
		return target{addr: addr}, nil
	}
	if n := ld.byDef[defRef{o, i}]; n != nil {
		return target{node: n}, nil
	}
	t, err := ld.resolveNew(o, i)
	if err == nil && t.node == nil && (!o.isMain || t.addr != 0) {
		o.addrs[i] = t.addr
	}
	return t, err
}

func (ld *load) resolveNew(o *object, i int) (target, error) {
	s := o.Sym(i)
	name := s.Name()
	switch {
	case !s.Defined():
		if err := ld.checkLinkname(o, s); err != nil {
			return target{}, err
		}
		return ld.byReference(name, s.ABI())
	case isTentative(s) && !(o.isMain && strings.HasPrefix(name, "main.")):
		return ld.linkedVar(o, i)
	case s.IsItab():
		return ld.itabOf(o, i)
	case isType(s, name):
		return ld.typeOf(o, i, name)
	case s.Kind().IsVar() && s.Size() == 0:
		return target{addr: ld.runtime.Zerobase}, nil
	case o.isMain && strings.HasPrefix(name, "main."):
		return ld.notebookSymbol(o, i, name)
	case o.isMain && symname.IsUnnamedStructMethod(name) && ld.isMethodWrapper(o, s, name):
		return ld.notebookFunc(o, i, name)
	case !o.isMain && s.ABI() == goobj.ABIStatic && s.Kind().IsVar() && name != "":
		// The variable is local to a package that the image may contain.
		if addr, ok := ld.index.Lookup(name, goobj.ABI0); ok && !ld.mentionsReplaced(name) {
			return target{addr: addr}, nil
		}
		return target{node: ld.addNode(o, i)}, nil
	case o.Hashed(i), s.ABI() == goobj.ABIStatic, s.Local(), name == "":
		return target{node: ld.addNode(o, i)}, nil
	case symname.MentionsMain(name):
		return ld.sharedInLoad(o, i, symKey{name, keyABI(s)}, false)
	}
	if ld.replaceable(o, s, name) {
		return ld.liveFunc(o, i, name), nil
	}
	key := symKey{name, keyABI(s)}
	if addr, ok := ld.known(key); ok {
		return target{addr: addr}, nil
	}
	if err := checkNoC(o, name); err != nil {
		return target{}, err
	}
	if (s.Kind().IsText() || symname.IsDictionary(name)) && ld.lacksBody(o, name) {
		return target{}, fmt.Errorf("cannot load the symbol %s: it was compiled without its body, and the worker process does not have it; this is a bug in Perijove; please report it", name)
	}
	return ld.sharedInLoad(o, i, key, true)
}

// checkNoC returns an error if a symbol stands for a C function: cgo declares a variable for it, with the
// name that the C object would define.
func checkNoC(o *object, name string) error {
	if !strings.HasPrefix(name, "_cgo_") {
		return nil
	}
	return fmt.Errorf("cannot load package %s: it has C code that the process that runs the cells does not contain; to build a process with this C code, import a package that uses it and is not internal", o.pkg.path)
}

// byReference resolves a symbol that an object refers to by name.
func (ld *load) byReference(name string, abi uint16) (target, error) {
	if strings.HasPrefix(name, "main.") {
		if s := ld.Linker.stubs[name]; s != nil {
			return target{addr: s.addr}, nil
		}
		if v := ld.vars[name]; v != nil {
			return target{addr: v.addr}, nil
		}
		if n := ld.byName[symKey{name, abi}]; n != nil {
			return target{node: n}, nil
		}
		return target{}, fmt.Errorf("the function %s is declared without a body, and no cell defines it", strings.TrimPrefix(name, "main."))
	}
	key := symKey{name, abi}
	if addr, ok := ld.known(key); ok {
		return target{addr: addr}, nil
	}
	if n := ld.byName[key]; n != nil {
		return target{node: n}, nil
	}
	if strings.HasPrefix(name, "type:") {
		if r := ld.types[name]; r != nil {
			return target{addr: r.addr}, nil
		}
	}
	d, ok, err := ld.definition(name, abi)
	if err != nil {
		return target{}, fmt.Errorf("undefined: %s (%w)", name, err)
	}
	if !ok {
		if _, other, err := ld.definition(name, 1-abi); other && err == nil {
			return target{}, fmt.Errorf("undefined: %s for %s (but it is defined for %s)", name, abiName(abi), abiName(1-abi))
		}
		return target{}, fmt.Errorf("undefined: %s", name)
	}
	return ld.resolveIndex(d.obj, d.i)
}

func abiName(abi uint16) string {
	if abi == goobj.ABI0 {
		return "ABI0"
	}
	return "ABIInternal"
}

// linkedVar resolves a tentative variable that a //go:linkname line links to a variable of another package. It
// returns the other package's variable if there is one, else the tentative variable.
func (ld *load) linkedVar(o *object, i int) (target, error) {
	s := o.Sym(i)
	if err := ld.checkLinkname(o, s); err != nil {
		return target{}, err
	}
	key := symKey{s.Name(), goobj.ABI0}
	if addr, ok := ld.known(key); ok {
		return target{addr: addr}, nil
	}
	d, ok, err := ld.definition(key.name, key.abi)
	if err != nil {
		return target{}, err
	}
	if ok && d != (defRef{o, i}) {
		return ld.resolveIndex(d.obj, d.i)
	}
	if err := checkNoC(o, key.name); err != nil {
		return target{}, err
	}
	return ld.sharedInLoad(o, i, key, true)
}

// typeOf resolves a type descriptor that an object defines. A type must have
// one address in the process, since type assertions and maps compare addresses.
func (ld *load) typeOf(o *object, i int, name string) (target, error) {
	key := symKey{name, goobj.ABI0}
	if addr, ok := ld.known(key); ok {
		return target{addr: addr}, nil
	}
	if !symname.MentionsMain(name) {
		return ld.sharedInLoad(o, i, key, true)
	}
	if _, done := ld.decidedTypes[name]; !done {
		ld.decideTypes(o, i, name)
	}
	if r := ld.decidedTypes[name]; r != nil {
		return target{addr: r.addr}, nil
	}
	t, err := ld.sharedInLoad(o, i, key, false)
	if t.node.typ == nil {
		t.node.typ = newTypeRecord(o, i, name)
	}
	return t, err
}

// itabOf resolves an interface table. There must be one table per pair of
// interface and concrete type, since code compares their addresses.
func (ld *load) itabOf(o *object, i int) (target, error) {
	var pair [2]target
	for _, r := range o.Sym(i).Relocs() {
		if r.Size() != 8 || r.Off() != 0 && r.Off() != 8 {
			continue
		}
		t, err := ld.resolve(o, r.Sym())
		if err != nil {
			return target{}, err
		}
		pair[r.Off()/8] = t
	}
	if n := ld.itabs[pair]; n != nil {
		return target{node: n}, nil
	}
	if pair[0].node == nil && pair[1].node == nil {
		m := ld.runtime.FindItab(pair[0].addr, pair[1].addr)
		if r := ld.retired[itabKey{pair[0].addr, pair[1].addr}]; r != nil {
			m = r.itab // this load adds the missing methods again
		}
		if m != nil {
			if m.Hash == 0 { // the runtime made the table, without the hash, which type switches need
				m.Hash = goruntime.TypeHash(m.Typ)
			}
			return target{addr: goruntime.AddressOf(m)}, nil
		}
	}
	n := ld.addNode(o, i)
	n.itab = pair
	ld.itabs[pair] = n
	return target{node: n}, nil
}
