package link

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// A node is a symbol that the current load places in memory.
type node struct {
	obj  *object
	i    int
	sym  goobj.Sym
	name string
	kind goobj.Kind

	align  uintptr
	addr   uintptr // set by layout
	stub   *stub   // a notebook function: what others refer to
	global bool    // stays known by name after the load
	typ    *typeRecord
	itab   [2]target      // of an interface table: the interface and the concrete type
	redo   *variable      // a notebook variable that gets this content as its new value
	made   unsafe.Pointer // the same type, made by reflect before: what others refer to
	info   goobj.FuncInfo

	relocs []goobj.Reloc
	values []target // what relocs refer to

	from    *node // what first referred to it, by the relocation at fromOff; nil for a root
	fromOff int32
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
	case t.node.made != nil:
		return uintptr(t.node.made)
	}
	return t.node.addr
}

// A load is the state of one Load call. Nothing of it reaches the Linker
// before everything is resolved.
type load struct {
	*Linker
	main    *object
	fresh   map[string]bool
	renewed map[string]bool

	methodNames    map[string]bool   // of the fresh methods
	renewedMethods map[string]bool   // the renewed ones, with the receiver
	methodTypes    map[string]string // see methodType
	newNames       map[string]bool   // of types, once newTypes has run

	nodes  []*node
	queue  []*node
	byDef  map[defRef]*node
	byName map[symKey]*node
	itabs  map[[2]target]*node

	at          *node             // being resolved
	atOff       int32             // its relocation that is
	initParents map[string]string // init tasks: which one first asks for another; not those that the cell imports

	descriptors map[string]int         // of notebook types in the cell's object, by name; see descriptor
	typeDone    map[string]*typeRecord // decided: the old record, or nil for a new type
	stubs       []*stub
	places      map[*stub]place // of functions whose stubs exist already
	reset       []string
	notices     []string
	methods     []methodUpdate
	newSlots    map[uintptr]uintptr // for Linker.got
}

func (ld *load) resolve(o *object, ref goobj.Ref) (target, error) {
	if ref.IsZero() {
		return target{}, nil
	}
	if ref.Pkg == goobj.PkgBuiltin {
		b, err := ld.idx.Builtin(ref.Sym)
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
	if addr, ok := o.fixed[i]; ok {
		return target{addr: addr}, nil
	}
	if n := ld.byDef[defRef{o, i}]; n != nil {
		return target{node: n}, nil
	}
	t, err := ld.resolveNew(o, i)
	if err == nil && t.node == nil && (!o.main || t.addr != 0) {
		o.fixed[i] = t.addr
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
	case refersOn(s) && !(o.main && strings.HasPrefix(name, "main.")):
		return ld.linkedVar(o, i)
	case s.IsItab():
		return ld.itabOf(o, i)
	case isType(s, name):
		return ld.typeOf(o, i, name)
	case s.Kind().IsVar() && s.Size() == 0:
		return target{addr: ld.host.Zerobase}, nil
	case o.main && strings.HasPrefix(name, "main."):
		return ld.notebookSymbol(o, i, name)
	case o.main && symname.IsUnnamedStructMethod(name) && ld.isMethodWrapper(o, s, name):
		return ld.notebookFunc(o, i, name)
	case !o.main && s.ABI() == goobj.ABIStatic && s.Kind().IsVar() && name != "":
		// A variable local to a package of the image is that of the image.
		if addr, ok := ld.idx.Lookup(name, goobj.ABI0); ok && !ld.ofOther(name) {
			return target{addr: addr}, nil
		}
		return target{node: ld.place(o, i)}, nil
	case o.Hashed(i), s.ABI() == goobj.ABIStatic, s.Local(), name == "":
		return target{node: ld.place(o, i)}, nil
	case symname.MentionsNotebook(name):
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
	return ld.sharedInLoad(o, i, key, true)
}

// checkNoC refuses a C function: cgo declares a variable for it, under the
// name that the C object would define.
func checkNoC(o *object, name string) error {
	if !strings.HasPrefix(name, "_cgo_") {
		return nil
	}
	return fmt.Errorf("package %s has C code, which the worker lacks: no package that it was built with reaches it", o.pkg.path)
}

func isType(s goobj.Sym, name string) bool {
	return s.IsType() && strings.HasPrefix(name, "type:")
}

// known finds a symbol of the image or of an earlier load.
func (ld *load) known(key symKey) (uintptr, bool) {
	if addr, ok := ld.idx.Lookup(key.name, key.abi); ok && !ld.ofOther(key.name) {
		return addr, true
	}
	addr, ok := ld.globals[key]
	return addr, ok
}

// sharedInLoad places a symbol that several objects of this load may define.
func (ld *load) sharedInLoad(o *object, i int, key symKey, global bool) (target, error) {
	if n := ld.byName[key]; n != nil {
		n.align = max(n.align, alignment(o.Sym(i)))
		return target{node: n}, nil
	}
	n := ld.place(o, i)
	n.global = global
	ld.byName[key] = n
	return target{node: n}, nil
}

func (ld *load) place(o *object, i int) *node {
	s := o.Sym(i)
	n := &node{obj: o, i: i, sym: s, name: s.Name(), kind: s.Kind(), align: alignment(s), from: ld.at, fromOff: ld.atOff}
	ld.byDef[defRef{o, i}] = n
	ld.nodes = append(ld.nodes, n)
	ld.queue = append(ld.queue, n)
	return n
}

// byReference resolves a symbol that an object mentions by name.
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
		return target{}, fmt.Errorf("%s is declared but has no body here", strings.TrimPrefix(name, "main."))
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

// linkedVar resolves a variable that a linkname gives the name of another,
// whose content counts if there is any.
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

// notebookSymbol resolves a symbol of package main that the cell's object defines.
func (ld *load) notebookSymbol(o *object, i int, name string) (target, error) {
	s := o.Sym(i)
	plain := symname.WithoutTypeArgs(name)
	generic := plain != name
	switch {
	case s.Kind().IsText() && generic && !ld.isMethodWrapper(o, s, name):
		key := symKey{name, s.ABI()}
		if addr, ok := ld.globals[key]; ok && !ld.outdated(name, plain) {
			return target{addr: addr}, nil
		}
		return ld.sharedInLoad(o, i, key, true)
	case s.Kind().IsText():
		return ld.notebookFunc(o, i, name)
	case s.Kind().IsVar() && !strings.Contains(name, "..") && s.ABI() != goobj.ABIStatic && !s.Local():
		return ld.notebookVar(o, i, name)
	}
	return target{node: ld.place(o, i)}, nil
}

func (ld *load) notebookFunc(o *object, i int, name string) (target, error) {
	s := o.Sym(i)
	old := ld.Linker.stubs[name]
	fresh := ld.fresh[name] || ld.fresh[symname.WithoutTypeArgs(name)]
	if old != nil && !fresh {
		return target{addr: old.addr}, nil
	}
	if !fresh && !ld.isMethodWrapper(o, s, name) {
		return target{node: ld.place(o, i)}, nil // a closure, an init function
	}
	n := ld.place(o, i)
	ld.byName[symKey{name, s.ABI()}] = n
	n.stub = old
	if old == nil || ld.renewed[name] || ld.retyped(name, old) { // a promoted method may have had the symbol
		n.stub = &stub{name: strings.Clone(name), typ: ld.methodType(name)} // name lies in the object, which is not to be kept
		ld.stubs = append(ld.stubs, n.stub)
	}
	return target{node: n}, nil
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

func (ld *load) notebookVar(o *object, i int, name string) (target, error) {
	s := o.Sym(i)
	old := ld.vars[name]
	if old != nil {
		same, err := ld.sameType(o, s, old)
		if err != nil {
			return target{}, err
		}
		switch {
		case !same && ld.fresh[name]:
			// a new variable; older code keeps the old one
		case !same:
			ld.reset = append(ld.reset, strings.TrimPrefix(name, "main."))
		case ld.fresh[name]: // its content, zeros included, becomes the value
			n := ld.place(o, i)
			n.redo = old
			delete(ld.byDef, defRef{o, i})
			return target{addr: old.addr}, nil
		default:
			return target{addr: old.addr}, nil
		}
	}
	n := ld.place(o, i)
	ld.byName[symKey{name, goobj.ABI0}] = n
	return target{node: n}, nil
}

// sameType reports whether a variable of the cell has the type that the
// variable of that name has had so far.
func (ld *load) sameType(o *object, s goobj.Sym, old *variable) (bool, error) {
	ref, ok := s.Aux(goobj.AuxGotype)
	if !ok {
		return uintptr(s.Size()) == old.size, nil
	}
	t, err := ld.resolve(o, ref)
	return err == nil && t.node == nil && t.addr == old.typ, err
}
