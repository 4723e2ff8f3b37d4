package link

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// A Request asks for one object to be loaded.
type Request struct {
	Object string   // path of a compiled package main
	Fresh  []string // functions and variables that it defines anew, without type arguments
	// Renewed lists the fresh functions that get a new stub, since their
	// signature changed: older callers keep the old one.
	Renewed []string
	Entry   string // function to call afterwards; may be empty
	Init    bool   // run the package's own initialization
	// Forget first drops the names of all functions, variables and types of
	// the notebook, also if the load then fails. Code and data stay in place.
	Forget bool
	// Gap, if it is not 0, asks for nothing but bytes of code to be left out:
	// the process in which the request was made has used them otherwise.
	Gap uintptr
	// Live lists the packages that are under edit; see Reload.
	Live []string
}

// A Loaded is the outcome: what to call, in this order.
type Loaded struct {
	Packages []func() // initialization of packages that came along
	Inits    []func() // the object's own initialization, if it was asked for
	Entry    func()   // nil if none was asked for
	Reset    []string // variables that could not be kept, since their type changed
}

// Load links an object into the process. After an error nothing has changed.
func (l *Linker) Load(req Request) (_ *Loaded, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if req.Gap > 0 {
		if _, err := l.mod.text.alloc(req.Gap, 1); err != nil {
			return nil, err
		}
		return &Loaded{}, nil
	}
	if req.Forget {
		l.forget()
	}
	for _, path := range req.Live {
		l.live[path] = true
	}
	undo := l.mod.snapshot()
	defer func() {
		if err != nil {
			undo()
		}
	}()
	defer goobj.Guard(&err) // runs first: a malformed object is an error by the time of undo
	o, err := l.openMain(req.Object)
	if err != nil {
		return nil, err
	}
	ld := &load{
		Linker: l, main: o, fresh: map[string]bool{}, renewed: map[string]bool{}, methodNames: map[string]bool{}, renewedMethods: map[string]bool{},
		byDef: map[defRef]*node{}, byName: map[symKey]*node{},
		itabs: map[[2]target]*node{}, typeDone: map[string]*typeRecord{}, newSlots: map[uintptr]uintptr{},
	}
	for _, f := range req.Fresh {
		ld.fresh[f] = true
		ld.methodNames[methodName(f)] = true
	}
	for _, f := range req.Renewed {
		ld.renewed[f] = true
		ld.renewedMethods[qualified(f)] = true
		ld.renewedMethods[methodName(f)] = true
	}
	entry, own, inits, err := ld.roots(req)
	if err != nil {
		return nil, err
	}
	if err := ld.close(); err != nil {
		return nil, err
	}
	if err := ld.layout(); err != nil {
		return nil, err
	}
	if err := ld.bindReflected(); err != nil {
		return nil, err
	}
	if err := ld.write(); err != nil {
		return nil, err
	}
	if err := ld.addFunctions(); err != nil {
		return nil, err
	}
	ld.commit()
	out := &Loaded{Reset: ld.reset}
	for _, t := range inits {
		out.Packages = append(out.Packages, l.initTask(t)...)
	}
	if own != (target{}) {
		out.Inits = l.initTask(own)
	}
	if req.Entry != "" {
		out.Entry = funcAt[func()](entry.address())
	}
	return out, nil
}

func (l *Linker) forget() {
	for key := range l.globals {
		if ofNotebook(key.name) {
			delete(l.globals, key)
		}
	}
	maps.DeleteFunc(l.stubs, func(name string, _ *stub) bool { return ofNotebook(name) })
	clear(l.vars)
	clear(l.types)
}

// openMain reads the cell's object. It is not mapped: the file may be removed
// as soon as Load returns, and names that must last are copied.
func (l *Linker) openMain(file string) (*object, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	objs, err := goobj.ParseArchive(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(objs) != 1 {
		return nil, fmt.Errorf("%s: %d objects instead of one", file, len(objs))
	}
	return &object{Object: objs[0], pkg: &pkg{path: "main"}, name: file, main: true, fixed: map[int]uintptr{}}, nil
}

// roots resolves what the load is for: the entry, everything fresh, and the
// init tasks of packages not initialized yet, dependencies first.
func (ld *load) roots(req Request) (entry, own target, inits []target, err error) {
	task := -1
	for i := range ld.main.NumDef() {
		s := ld.main.Sym(i)
		name := s.Name()
		if !strings.HasPrefix(name, "main.") {
			continue
		}
		plain := withoutTypeArgs(name)
		switch {
		case name == "main..inittask":
			task = i
		case name == req.Entry, ld.fresh[plain], ld.refreshes(i, name):
			t, err := ld.resolveIndex(ld.main, i)
			if err != nil {
				return entry, own, nil, err
			}
			if name == req.Entry {
				entry = t
			}
		}
	}
	if req.Entry != "" && entry == (target{}) {
		return entry, own, nil, fmt.Errorf("the object does not define %s", req.Entry)
	}
	nodes, err := ld.replacements()
	if err != nil {
		return entry, own, nil, err
	}
	if task >= 0 {
		if err := ld.initGraph(ld.main, task, &initNode{}, nodes); err != nil {
			return entry, own, nil, err
		}
	}
	if inits, err = ld.initOrder(nodes); err != nil {
		return entry, own, nil, err
	}
	if task >= 0 && req.Init {
		own, err = ld.resolveIndex(ld.main, task)
	}
	return entry, own, inits, err
}

// An initNode is the init task of a package that has not been initialized yet.
type initNode struct {
	def  defRef
	deps []string // names of other nodes
}

// initOrder lists the init tasks of packages that have not run yet, in
// cmd/link's order: dependencies first, and of those that are ready the first
// by name.
func (ld *load) initOrder(nodes map[string]*initNode) ([]target, error) {
	var list []target
	names := slices.Sorted(maps.Keys(nodes))
	done := map[string]bool{}
	for len(list) < len(names) {
		ready := slices.IndexFunc(names, func(name string) bool {
			return !done[name] && !slices.ContainsFunc(nodes[name].deps, func(d string) bool { return !done[d] })
		})
		if ready < 0 {
			return nil, errors.New("packages initialize each other in a circle")
		}
		n := nodes[names[ready]]
		done[names[ready]] = true
		t, err := ld.resolveIndex(n.def.obj, n.def.i)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// initGraph collects what an init task depends on.
func (ld *load) initGraph(o *object, i int, from *initNode, nodes map[string]*initNode) error {
	for _, r := range o.Sym(i).Relocs() {
		if !r.Type().IsInitOrder() {
			continue
		}
		name, d, err := ld.initTaskOf(o, r.Sym())
		if err != nil {
			return err
		}
		if d.obj == nil {
			continue
		}
		from.deps = append(from.deps, name)
		if nodes[name] != nil {
			continue
		}
		n := &initNode{def: d}
		nodes[name] = n
		if err := ld.initGraph(d.obj, d.i, n, nodes); err != nil {
			return err
		}
	}
	return nil
}

// initTaskOf finds a package's init task. Those of the image ran at start, and
// each package's runs once: then the definition is not returned.
func (ld *load) initTaskOf(o *object, ref goobj.Ref) (string, defRef, error) {
	i, ok := o.Index(ref)
	if !ok {
		return "", defRef{}, errors.New("init task named by number")
	}
	name := o.Sym(i).Name()
	if _, ok := ld.idx.Lookup(name, goobj.ABI0); ok && !ld.ofOther(name) || ld.inited[name] {
		return name, defRef{}, nil
	}
	p, err := ld.openPackage(packageOf(strings.TrimSuffix(name, ".inittask") + "x"))
	if err != nil {
		return name, defRef{}, err
	}
	d, ok := p.find(symKey{name, goobj.ABI0})
	if !ok {
		return name, defRef{}, nil // nothing to initialize
	}
	return name, d, nil
}

// initTask returns the functions that a loaded init task runs.
func (l *Linker) initTask(t target) []func() {
	n := int(loadAt[uint32](t.address() + 4))
	var list []func()
	for i := range n {
		list = append(list, funcAt[func()](loadAt[uintptr](t.address()+8+uintptr(i)*8)))
	}
	return list
}

// close resolves everything that placed symbols refer to.
func (ld *load) close() error {
	for len(ld.queue) > 0 {
		n := ld.queue[len(ld.queue)-1]
		ld.queue = ld.queue[:len(ld.queue)-1]
		if err := ld.resolveNode(n); err != nil {
			return fmt.Errorf("%w (needed by %s)", err, n.name)
		}
		if len(ld.queue) == 0 {
			if err := ld.updateMethods(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (ld *load) resolveNode(n *node) error {
	for _, r := range n.sym.Relocs() {
		if r.Size() == 0 && r.Type() != goobj.RelKeep {
			continue
		}
		t, err := ld.resolve(n.obj, r.Sym())
		if err != nil {
			return err
		}
		n.relocs = append(n.relocs, r)
		n.values = append(n.values, t)
	}
	if n.kind.IsVar() {
		if ref, ok := n.sym.Aux(goobj.AuxGotype); ok {
			_, err := ld.resolve(n.obj, ref)
			return err
		}
	}
	if !n.kind.IsText() {
		return nil
	}
	var err error
	if n.info, err = funcInfo(n.obj, n.sym); err != nil {
		return err
	}
	for i, a := range n.sym.Auxs() {
		if a.Type() != goobj.AuxFuncdata || ld.ignoreFuncdata(n, i, a.Sym()) {
			continue
		}
		if _, err := ld.resolve(n.obj, a.Sym()); err != nil {
			return err
		}
	}
	return nil
}

// ignoreFuncdata reports whether a function's table is a reference that the
// assembler made on the chance that the compiler would define it.
func (ld *load) ignoreFuncdata(n *node, _ int, ref goobj.Ref) bool {
	if ref.IsZero() {
		return true
	}
	i, ok := n.obj.Index(ref)
	if !ok || !n.obj.FromAssembly() || n.obj.Sym(i).Defined() {
		return false
	}
	_, err := ld.resolve(n.obj, ref)
	return err != nil
}

// updateMethods places new method tables for the types that stay the same but
// gained, lost or changed methods.
func (ld *load) updateMethods() error {
	for i := range ld.main.NumDef() {
		s := ld.main.Sym(i)
		name := s.Name()
		if !isType(s, name) {
			continue
		}
		old := ld.typeDone[name]
		if old == nil || !ld.mod.ro.contains(old.addr) { // reflect has given a type of its own its methods
			continue
		}
		r := newTypeRecord(ld.main, i, name)
		if sameMethods(old, r) || ld.byName[symKey{name, goobj.ABIStatic}] != nil {
			continue
		}
		n := ld.place(ld.main, i)
		delete(ld.byDef, defRef{ld.main, i})
		ld.byName[symKey{name, goobj.ABIStatic}] = n
		n.typ = r
		ld.methods = append(ld.methods, methodUpdate{old, n})
	}
	return nil
}

func sameMethods(a, b *typeRecord) bool {
	x, y := a.methods(), b.methods()
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

// methods lists the references of the method table.
func (r *typeRecord) methods() []typeRef {
	var list []typeRef
	if !r.hasUncommon() {
		return nil
	}
	start := int32(len(r.data) - r.methodCount()*methodSize)
	for _, f := range r.fields {
		if f.off >= start {
			list = append(list, typeRef{f.off - start, f.add, f.target})
		}
	}
	return list
}
