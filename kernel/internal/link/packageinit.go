package link

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// An initNode is the init task of a package that has not been initialized yet.
type initNode struct {
	name string
	def  defRef
	deps []string // names of the nodes that must run before it
	task target   // the init task, after initOrder has resolved it
}

// addUninitialized adds the init tasks of packages that an earlier cell has loaded, but whose initialization has not
// begun, because that cell ended first.
func (ld *load) addUninitialized(nodes map[string]*initNode) error {
	var names []string
	for name, s := range ld.initStates {
		if s.phase == initLoaded {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		s := ld.initStates[name]
		if nodes[name] != nil {
			continue
		}
		n := &initNode{name: name, def: s.def}
		nodes[name] = n
		if err := ld.initGraph(s.def.obj, s.def.i, n, nodes); err != nil {
			return err
		}
	}
	return nil
}

// initOrder lists the init tasks that have not run yet, in
// cmd/link's order: dependencies first, otherwise sorted by
// name.
func (ld *load) initOrder(nodes map[string]*initNode) ([]*initNode, error) {
	var list []*initNode
	names := slices.Sorted(maps.Keys(nodes))
	done := map[string]bool{}
	for len(list) < len(names) {
		ready := slices.IndexFunc(names, func(name string) bool {
			return !done[name] && !slices.ContainsFunc(nodes[name].deps, func(d string) bool { return !done[d] })
		})
		if ready < 0 {
			return nil, fmt.Errorf("cannot initialize packages that depend on each other in a cycle: %s; this is a bug in Perijove; please report it", strings.Join(slices.DeleteFunc(names, func(name string) bool { return done[name] }), ", "))
		}
		n := nodes[names[ready]]
		done[names[ready]] = true
		var err error
		if n.task, err = ld.resolveIndex(n.def.obj, n.def.i); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// withoutFailed leaves out the packages whose initialization has failed, and the packages that need one of them. It
// keeps the packages that are in retry, or that a package in retry needs.
func (ld *load) withoutFailed(list []*initNode, nodes map[string]*initNode, retry []string) []*initNode {
	again := map[string]bool{}
	var mark func(name string)
	mark = func(name string) {
		if n := nodes[name]; n != nil && !again[name] {
			again[name] = true
			for _, d := range n.deps {
				mark(d)
			}
		}
	}
	for _, path := range retry {
		mark(symname.InitTask(path))
	}
	barred := map[string]bool{}
	return slices.DeleteFunc(list, func(n *initNode) bool {
		s := ld.initStates[n.name]
		failed := s != nil && s.phase == initFailed && !again[n.name]
		barred[n.name] = failed || slices.ContainsFunc(n.deps, func(d string) bool { return barred[d] })
		return barred[n.name]
	})
}

// initGraph adds the init tasks that the init task with index i of o depends on to nodes.
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
		n := &initNode{name: name, def: d}
		nodes[name] = n
		ld.initParents[name] = from.name
		if err := ld.initGraph(d.obj, d.i, n, nodes); err != nil {
			return err
		}
	}
	return nil
}

// initTaskOf returns the name and the definition of a package's init task. It returns no definition if
// the task need not run, since the worker process has run it at its start or later.
func (ld *load) initTaskOf(o *object, ref goobj.Ref) (string, defRef, error) {
	i, ok := o.Index(ref)
	if !ok {
		return "", defRef{}, errors.New("cannot read the initialization task of a package, since a number names it; this is a bug in Perijove; please report it")
	}
	name := o.Sym(i).Name()
	if _, ok := ld.index.Lookup(name, goobj.ABI0); ok && !ld.mentionsReplaced(name) || ld.initStates[name].done() {
		return name, defRef{}, nil
	}
	p, err := ld.imported(o, symname.Package(strings.TrimSuffix(name, ".inittask")+"x"))
	if err != nil {
		return name, defRef{}, err
	}
	d, ok := p.find(symKey{name, goobj.ABI0})
	if !ok {
		return name, defRef{}, nil // nothing to initialize
	}
	return name, d, nil
}

// fillMaps initializes map variables of packages of the image. The linker of the image leaves out
// map variables that nothing refers to, with the functions that fill them. If this load
// has added such a variable, fillMaps calls its function.
func (ld *load) fillMaps() {
	for _, n := range ld.nodes {
		if !n.kind.IsVar() || n.obj.isMain {
			continue
		}
		name := symname.InitTask(n.obj.pkg.path)
		if _, ok := ld.index.Lookup(name, goobj.ABI0); !ok || ld.mentionsReplaced(name) {
			continue
		}
		for i, r := range n.relocs {
			if t := n.values[i]; r.Type() == goobj.RelKeep && t.node != nil && t.node.kind.IsText() {
				goruntime.FuncAt[func()](t.address())()
			}
		}
	}
}

// The initialization of a package may fail: it panics, calls os.Exit or runtime.Goexit, or is interrupted. The package
// stays loaded. A Request with Retry initializes it again, after its variables have got their initial contents back.
// Packages that it needs and that are initialized are not initialized again.

// A PackageInit is one attempt to initialize a package. Its methods may be called from any goroutine.
type PackageInit struct {
	Path  string
	Funcs []func() // functions to call in order, after Begin and before Done

	linker *Linker
	state  *initState
}

// packageInit returns an attempt for an init task. The load must be committed.
func (ld *load) packageInit(n *initNode) *PackageInit {
	s := ld.initStates[n.name]
	s.deps = n.deps
	return &PackageInit{Path: s.path, Funcs: goruntime.InitTaskFuncs(n.task.address()), linker: ld.Linker, state: s}
}

// Begin begins the attempt. After a failed attempt, it gives the package's variables their initial contents.
func (p *PackageInit) Begin() {
	p.linker.mu.Lock()
	defer p.linker.mu.Unlock()
	if p.state.phase == initFailed {
		for _, v := range p.state.vars {
			p.linker.mod.Restore(v)
		}
	}
	p.state.phase, p.state.attempt = initRunning, p
}

// Done records that the package is initialized. If Fail has ended the attempt, Done does nothing and returns false.
func (p *PackageInit) Done() bool {
	p.linker.mu.Lock()
	defer p.linker.mu.Unlock()
	if p.state.attempt != p {
		return false
	}
	p.state.phase, p.state.attempt, p.state.vars = initDone, nil, nil
	return true
}

// Fail ends an attempt without success. It returns false if the attempt was not in progress.
func (p *PackageInit) Fail() bool {
	p.linker.mu.Lock()
	defer p.linker.mu.Unlock()
	if p.state.attempt != p {
		return false
	}
	p.state.phase, p.state.attempt = initFailed, nil
	return true
}

// Owns reports whether a function belongs to the package. function is its name in stack traces.
func (p *PackageInit) Owns(function string) bool {
	return strings.HasPrefix(function, goobj.EscapePath(p.Path)+".")
}

// PackageInit returns an attempt to initialize a loaded package, or nil if the package is initialized or not loaded.
func (l *Linker) PackageInit(path string) *PackageInit {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.initStates[symname.InitTask(path)]
	if s == nil || s.done() {
		return nil
	}
	t := target{addr: s.def.obj.addrs[s.def.i]}
	return &PackageInit{Path: path, Funcs: goruntime.InitTaskFuncs(t.address()), linker: l, state: s}
}

// Uninitialized returns the packages that cannot be used, since their initialization or that of a package that they need
// has failed. It maps the path of each to the path of the package whose initialization failed.
func (l *Linker) Uninitialized() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := map[string]string{}
	for name, s := range l.initStates {
		if s.done() {
			continue
		}
		if cause := l.failedUnder(name, map[string]bool{}); cause != nil {
			list[s.path] = cause.path
		}
	}
	return list
}

// failedUnder returns a package whose initialization has failed: the package with the init task name, or one that it
// needs. It returns nil if there is none.
func (l *Linker) failedUnder(name string, seen map[string]bool) *initState {
	s := l.initStates[name]
	if s == nil || s.done() || seen[name] {
		return nil
	}
	seen[name] = true
	if s.phase == initFailed {
		return s
	}
	for _, d := range slices.Sorted(slices.Values(s.deps)) {
		if cause := l.failedUnder(d, seen); cause != nil {
			return cause
		}
	}
	return nil
}

// noteInits records states for the packages whose init tasks this load has added, with the initial contents of their variables.
func (ld *load) noteInits() {
	for _, n := range ld.nodes {
		if strings.HasSuffix(n.name, "..inittask") && !n.obj.isMain {
			s := &initState{path: n.obj.pkg.path, def: defRef{n.obj, n.i}}
			n.obj.pkg.init, ld.initStates[strings.Clone(n.name)] = s, s
		}
	}
	for _, n := range ld.nodes {
		if s := n.obj.pkg.init; s != nil && !s.done() && n.kind.IsVar() {
			v := moduledata.SavedVariable{Addr: n.addr, Size: uintptr(n.sym.Size()), Pointers: n.kind.HasPointers()}
			if d := len(n.sym.Data()); d > 0 {
				v.Data = slices.Clone(ld.arenaOf(n).Bytes(n.addr, d))
			}
			s.vars = append(s.vars, v)
		}
	}
}
