package link

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// commit makes the loaded symbols visible to the process and to later loads. It cannot fail.
func (ld *load) commit() {
	l := ld.Linker
	l.mod.Publish()
	maps.Copy(l.gotSlots, ld.newGOTSlots)
	ld.applyMethods(func() {
		for _, n := range ld.nodes {
			if n.stub != nil {
				atomic.StoreUintptr((*uintptr)(platform.Pointer(n.stub.slot)), n.addr)
			}
		}
	})
	ld.moveStubs()
	ld.dropReplacedWrappers()
	ld.keepStubs()
	ld.forgetReplacedTypes()
	ld.noteInits()
	for _, n := range ld.nodes {
		ld.remember(n)
		ld.noteTypeCacher(n)
		ld.noteUses(n)
		ld.noteData(n)
	}
	ld.commitReflected()
	l.reloaded = nil
	ld.addTypes()
	ld.addItabs()
	for _, n := range ld.nodes {
		if v := n.assignTo; v != nil {
			l.runtime.TypedMemmove(platform.Pointer(v.typ), platform.Pointer(v.addr), platform.Pointer(n.addr))
		}
	}
}

// remember records a symbol so that later loads can refer to it. It copies names, since they are parts
// of the object's bytes.
func (ld *load) remember(n *node) {
	switch {
	case n.global:
		ld.globals[symKey{strings.Clone(n.name), keyABI(n.sym)}] = target{node: n}.address()
	case n.obj.isMain && n.assignTo == nil && ld.byName[symKey{n.name, goobj.ABI0}] == n && n.kind.IsVar():
		v := &variable{addr: n.addr, size: uintptr(n.sym.Size())}
		if ref, ok := n.sym.Aux(goobj.AuxGotype); ok {
			if t, err := ld.resolve(n.obj, ref); err == nil {
				v.typ = t.address()
			}
		}
		name := strings.Clone(n.name)
		if old := ld.vars[name]; old != nil {
			ld.addOldVar(name, old)
		}
		ld.vars[name] = v
	}
	if !n.obj.isMain {
		n.obj.addrs[n.i] = target{node: n}.address()
	}
}

// addTypes adds new type descriptors to the list that reflect searches by the type's
// string, so that functions such as reflect.SliceOf find them.
func (ld *load) addTypes() {
	m := ld.mod
	grown := false
	for _, n := range ld.nodes {
		if n.typ != nil && ld.decidedTypes[n.name] == nil {
			n.typ.addr, n.typ.generation = target{node: n}.address(), ld.typeGeneration
			ld.types[n.typ.name] = n.typ
			if ld.mod.ReadOnly.Contains(n.typ.addr) {
				ld.notebookTypes = append(ld.notebookTypes, n.typ.addr)
			}
		}
		if n.sym.Typelink() && n.reflectType == nil && ld.decidedTypes[n.name] == nil {
			m.TypeLinks = append(m.TypeLinks, moduledata.TypeLink{Str: m.ModuleData.TypeString(n.addr), Off: int32(n.addr - m.ModuleData.Types)})
			grown = true
		}
	}
	if !grown {
		return
	}
	slices.SortStableFunc(m.TypeLinks, func(a, b moduledata.TypeLink) int { return strings.Compare(a.Str, b.Str) })
	offs := make([]int32, len(m.TypeLinks))
	for i, t := range m.TypeLinks {
		offs[i] = t.Off
	}
	w := ld.runtime.StopTheWorld(goruntime.StopReason)
	ld.runtime.PublishTypes(m.ModuleData, offs)
	ld.runtime.StartTheWorld(w)
}

// addItabs adds new interface tables to the runtime's table.
func (ld *load) addItabs() {
	var list []uintptr
	for _, n := range ld.nodes {
		if n.itab != [2]target{} {
			list = append(list, n.addr)
		}
	}
	if len(list) == 0 {
		return
	}
	ld.runtime.AddItabs(ld.mod.ModuleData, list)
}
