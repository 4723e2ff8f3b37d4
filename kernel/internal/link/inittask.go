package link

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

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
