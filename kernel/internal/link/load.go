package link

import (
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// A Request describes one object to load.
type Request struct {
	Object string   // path of a compiled package main
	Fresh  []string // functions and variables that the object defines anew; names of generic code are without type arguments
	// Renewed lists those of Fresh that get a new stub (type stub): their signature changed. Older callers keep the old stub.
	Renewed []string
	// Literals lists those of Fresh that are function literals of generic code: each instance gets a stub.
	Literals []string
	Entry    string // function to call after the load; may be empty
	Init     bool   // run the package's own initialization
	Initial  string // function that gives variables their initial values in a child process; may be empty
	// Forget makes Load forget all functions, variables and types of the notebook before the load, even if the load
	// then fails. The code and data of these stay in memory.
	Forget bool
	// Gap, if it is not 0, makes Load only reserve this number of bytes of the code area. In a child, it stands for
	// code that its parent placed there for another purpose, so that later addresses are the same in both.
	Gap uintptr
	// Live lists the import paths of the packages that the user edits; see Reload.
	Live []string
	// Retry lists packages to initialize again although they, or packages that they need, failed to initialize.
	Retry []string
}

// A Loaded is the result of Load. The functions must be called in the order of the fields.
type Loaded struct {
	Packages []*PackageInit // packages to initialize, which the object needs
	Inits    []func()       // initialization of the object itself, if Request.Init is set
	Entry    func()         // the function Request.Entry; nil if Entry is empty
	Initial  func()         // the function Request.Initial; nil if Initial is empty
	Reset    []string       // variables that are zero now, since their types have changed
	Notices  []string       // notices for the user
}

// Load links an object into the process. If it returns an error, the process is unchanged, except for Request.Forget.
func (l *Linker) Load(req Request) (_ *Loaded, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if req.Gap > 0 {
		if _, err := l.mod.Text.Alloc(req.Gap, 1); err != nil {
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
	undo := l.mod.Snapshot()
	defer func() {
		if err != nil {
			undo()
		}
	}()
	defer goobj.Guard(&err) // turns the panic for a malformed object into an error; runs before the deferred function above
	o, err := l.openMain(req.Object)
	if err != nil {
		return nil, err
	}
	ld := newLoad(l, o, req)
	if err := ld.checkImports(); err != nil {
		return nil, err
	}
	r, err := ld.roots(req)
	if err != nil {
		return nil, err
	}
	for _, pass := range []func() error{ld.resolveAll, ld.layout, ld.bindReflected, ld.write, ld.addFunctions} {
		if err := pass(); err != nil {
			return nil, err
		}
	}
	ld.commit()
	for _, name := range []string{req.Entry, req.Initial} {
		l.cellFuncs[name] = name != "main.main" // cells may call main.main
	}
	ld.fillMaps()
	return ld.loaded(req, r), nil
}

func newLoad(l *Linker, o *object, req Request) *load {
	ld := &load{
		Linker: l, main: o, fresh: map[string]bool{}, renewed: map[string]bool{}, literals: map[string]bool{}, methodNames: map[string]bool{}, renewedMethods: map[string]bool{},
		byDef: map[defRef]*node{}, byName: map[symKey]*node{},
		initParents: map[string]string{}, itabs: map[[2]target]*node{}, decidedTypes: map[string]*typeRecord{}, newGOTSlots: map[uintptr]uintptr{},
	}
	for _, f := range req.Fresh {
		ld.fresh[f] = true
		ld.methodNames[symname.Method(f)] = true
	}
	for _, f := range req.Literals {
		ld.literals[f] = true
	}
	for _, f := range req.Renewed {
		ld.renewed[f] = true
		ld.renewedMethods[symname.QualifiedMethod(f)] = true
	}
	return ld
}

// loaded returns the result of a committed load.
func (ld *load) loaded(req Request, r roots) *Loaded {
	out := &Loaded{Reset: ld.reset, Notices: ld.notices}
	for _, n := range r.inits {
		out.Packages = append(out.Packages, ld.packageInit(n))
	}
	if r.mainInit != (target{}) {
		out.Inits = goruntime.InitTaskFuncs(r.mainInit.address())
	}
	if req.Entry != "" {
		out.Entry = goruntime.FuncAt[func()](r.entry.address())
	}
	if req.Initial != "" {
		out.Initial = goruntime.FuncAt[func()](r.initial.address())
	}
	return out
}

func (l *Linker) forget() {
	for key := range l.globals {
		if symname.MentionsMain(key.name) {
			delete(l.globals, key)
		}
	}
	maps.DeleteFunc(l.stubs, func(name string, _ *stub) bool { return symname.MentionsMain(name) })
	clear(l.formerStubs)
	clear(l.genericLiterals)
	for name, v := range l.vars {
		l.addOldVar(name, v)
	}
	clear(l.vars)
	clear(l.types)
}

// openMain reads the cell's object. It does not map the file, which may be removed
// after Load returns. Names that are needed after that must be copied.
func (l *Linker) openMain(file string) (*object, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	objs, err := goobj.ParseArchive(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read the compiled cell in %s: %w", file, err)
	}
	if len(objs) != 1 {
		return nil, fmt.Errorf("the compiled cell in %s has %d objects instead of 1; this is a bug in Perijove; please report it", file, len(objs))
	}
	p := &pkg{path: "main"}
	p.objs = []*object{{Object: objs[0], pkg: p, name: file, isMain: true, addrs: map[int]uintptr{}}}
	return p.objs[0], nil
}

// roots are the symbols that a load begins with, besides the fresh ones.
type roots struct {
	entry    target
	initial  target
	mainInit target      // init task of the object, if Request.Init is set
	inits    []*initNode // init tasks of the packages to initialize, dependencies first
}

// roots resolves the symbols that the load begins with.
func (ld *load) roots(req Request) (r roots, err error) {
	task, err := ld.mainRoots(req, &r)
	if err != nil {
		return r, err
	}
	if req.Entry != "" && r.entry == (target{}) {
		return r, fmt.Errorf("the compiled cell does not define the function %s; this is a bug in Perijove; please report it", req.Entry)
	}
	if req.Initial != "" && r.initial == (target{}) {
		return r, fmt.Errorf("the compiled cell does not define the function %s; this is a bug in Perijove; please report it", req.Initial)
	}
	nodes, err := ld.replacements()
	if err != nil {
		return r, err
	}
	if err := ld.addUninitialized(nodes); err != nil {
		return r, err
	}
	if task >= 0 {
		if err := ld.initGraph(ld.main, task, &initNode{}, nodes); err != nil {
			return r, err
		}
	}
	if r.inits, err = ld.initOrder(nodes); err != nil {
		return r, err
	}
	r.inits = ld.withoutFailed(r.inits, nodes, req.Retry)
	if task >= 0 && req.Init {
		r.mainInit, err = ld.resolveIndex(ld.main, task)
	}
	return r, err
}

// mainRoots resolves the entry function and the fresh symbols, and returns the index of the
// object's init task, or -1.
func (ld *load) mainRoots(req Request, r *roots) (task int, err error) {
	task = -1
	for i := range ld.main.NumDef() {
		name := ld.main.Sym(i).Name()
		if !strings.HasPrefix(name, "main.") && !symname.IsUnnamedStructMethod(name) {
			continue
		}
		switch {
		case name == "main..inittask":
			task = i
		case name == req.Entry, ld.fresh[symname.WithoutTypeArgs(name)], ld.renewsWrapper(i, name):
			t, err := ld.resolveIndex(ld.main, i)
			if err != nil {
				return task, err
			}
			switch name {
			case req.Entry:
				r.entry = t
			case req.Initial:
				r.initial = t
			}
		}
	}
	return task, nil
}

// resolveAll resolves the references of all nodes, including those of the nodes that it adds.
func (ld *load) resolveAll() error {
	for {
		for len(ld.queue) > 0 {
			n := ld.queue[len(ld.queue)-1]
			ld.queue = ld.queue[:len(ld.queue)-1]
			if err := ld.resolveNode(n); err != nil {
				return ld.origin(n, err)
			}
		}
		ld.updateMethods()
		if len(ld.queue) == 0 {
			return nil
		}
	}
}

func (ld *load) resolveNode(n *node) error {
	ld.resolving, ld.resolvingOff = n, 0
	defer func() { ld.resolving = nil }()
	for _, r := range n.sym.Relocs() {
		ld.resolvingOff = r.Off()
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
