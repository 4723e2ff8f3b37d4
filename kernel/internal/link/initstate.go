package link

import (
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// The initialization of a package may fail: it panics, calls os.Exit or runtime.Goexit, or is interrupted. The package
// stays loaded. It is initialized again when that is asked for, after its variables have got their first contents back;
// packages that it needs and that are initialized are left alone.

// A PackageInit is one attempt to initialize a package. Its methods may be called from any goroutine.
type PackageInit struct {
	Path  string
	Funcs []func() // to be called in this order between Begin and Done

	linker *Linker
	state  *initState
}

// packageInit returns the attempt for an init task, once the load is committed.
func (ld *load) packageInit(n *initNode) *PackageInit {
	s := ld.initStates[n.name]
	s.deps = n.deps
	return &PackageInit{Path: s.path, Funcs: goruntime.InitTaskFuncs(n.task.address()), linker: ld.Linker, state: s}
}

// Begin prepares the package's variables.
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

// Done notes that the package is initialized, and reports whether it is: the attempt may have been given up.
func (p *PackageInit) Done() bool {
	p.linker.mu.Lock()
	defer p.linker.mu.Unlock()
	if p.state.attempt != p {
		return false
	}
	p.state.phase, p.state.attempt, p.state.vars = initDone, nil, nil
	return true
}

// Fail gives up an attempt, and reports whether it was under way.
func (p *PackageInit) Fail() bool {
	p.linker.mu.Lock()
	defer p.linker.mu.Unlock()
	if p.state.attempt != p {
		return false
	}
	p.state.phase, p.state.attempt = initFailed, nil
	return true
}

// Owns reports whether a function, given by its name in stack traces, is one of the package.
func (p *PackageInit) Owns(function string) bool {
	return strings.HasPrefix(function, goobj.EscapePath(p.Path)+".")
}

// PackageInit returns an attempt to initialize a loaded package, or nil if it is initialized or not loaded.
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

// Uninitialized returns the packages that cannot be used, since their initialization has failed or that of one that
// they need: that one by the path of each.
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

// failedUnder finds a package whose initialization has failed: the given one, or one that it needs.
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

// noteInits keeps the state of the packages whose init tasks are loaded, and the contents of their variables.
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
