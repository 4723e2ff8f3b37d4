package link

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/platform"
)

const (
	textAlign = 32 // cmd/link's Funcalign on amd64
	maxAlign  = 32 // and its Maxalign
	stubSize  = 16
)

// layout gives every node its address. Code comes in the order in which it
// will be entered into the function table.
func (ld *load) layout() error {
	for _, s := range ld.stubs {
		var err error
		if s.addr, err = ld.mod.Text.Alloc(stubSize, stubSize); err != nil {
			return err
		}
		if s.slot, err = ld.mod.NoPtr.Alloc(8, 8); err != nil {
			return err
		}
	}
	for _, n := range ld.nodes {
		size := uintptr(n.sym.Size())
		if n.typ != nil {
			size += n.typ.makeRoom()
		}
		var err error
		if n.addr, err = ld.arenaOf(n).Alloc(max(size, 1), n.align); err != nil {
			return err
		}
	}
	return nil
}

// alignment is what cmd/link aligns a symbol to. Assembly relies on it: vector
// instructions fault where a constant is not aligned to its size.
func alignment(s goobj.Sym) uintptr {
	align, size := uintptr(s.Align()), uintptr(s.Size())
	switch {
	case s.Kind().IsText():
		return max(align, textAlign)
	case align != 0:
		return align
	}
	for align = maxAlign; align > size && align > 1; {
		align /= 2
	}
	return align
}

func (ld *load) arenaOf(n *node) *moduledata.Arena {
	switch {
	case n.kind.IsText():
		return ld.mod.Text
	case n.kind.HasPointers():
		return ld.mod.Data
	case n.kind.IsVar():
		return ld.mod.NoPtr
	}
	return ld.mod.ReadOnly
}

// write copies contents and applies relocations.
func (ld *load) write() error {
	if err := ld.writeNodes(func(*node) bool { return true }); err != nil {
		return err
	}
	for _, s := range ld.stubs {
		writeStub(ld.mod.Text.Bytes(s.addr, stubSize), s)
	}
	for _, n := range ld.nodes {
		if n.kind.HasPointers() {
			if err := ld.markPointers(n); err != nil {
				return err
			}
		}
		if n.itab != [2]target{} {
			b := ld.mod.ReadOnly.Bytes(n.addr, goruntime.ItabHeaderSize)
			binary.LittleEndian.PutUint32(b[16:], ld.hashOf(n.itab[1]))
		}
	}
	return nil
}

func (ld *load) writeNodes(which func(*node) bool) error {
	for _, n := range ld.nodes {
		if !which(n) {
			continue
		}
		b := ld.arenaOf(n).Bytes(n.addr, int(n.sym.Size()))
		copy(b, n.sym.Data())
		shortenName(n, b)
		for i, r := range n.relocs {
			if err := ld.relocate(n, b, r, n.values[i]); err != nil {
				return fmt.Errorf("%s: %w", n.name, err)
			}
		}
		if n.typ != nil && n.typ.room && n.typ.kind() == goruntime.KindStruct {
			ld.moveFields(n)
		}
	}
	return nil
}

func (ld *load) hashOf(t target) uint32 {
	if t.node != nil {
		return goruntime.TypeHash(t.node.addr)
	}
	return goruntime.TypeHash(t.addr)
}

// markPointers tells the collector which words of a variable hold pointers.
func (ld *load) markPointers(n *node) error {
	ref, ok := n.sym.Aux(goobj.AuxGotype)
	if !ok {
		for off := uintptr(0); off+8 <= uintptr(n.sym.Size()); off += 8 {
			ld.mod.SetPointer(n.addr + off) // conservative: the collector ignores what is no heap address
		}
		return nil
	}
	t, err := ld.resolve(n.obj, ref)
	if err != nil {
		return err
	}
	goruntime.PointerMask(t.address(), 0, func(off uintptr) { ld.mod.SetPointer(n.addr + off) })
	return nil
}

// commit makes the load visible. Nothing here can fail.
func (ld *load) commit() {
	l := ld.Linker
	l.mod.Publish()
	maps.Copy(l.got, ld.newSlots)
	ld.applyMethods(func() {
		for _, n := range ld.nodes {
			if n.stub != nil {
				atomic.StoreUintptr((*uintptr)(platform.Pointer(n.stub.slot)), n.addr)
			}
		}
	})
	ld.moveStubs()
	ld.dropReplaced()
	for _, s := range ld.stubs {
		l.stubs[s.name] = s
	}
	ld.forgetOutdated()
	ld.noteInits()
	for _, n := range ld.nodes {
		ld.remember(n)
		ld.noteKeeper(n)
		ld.noteUses(n)
		ld.noteData(n)
	}
	ld.commitReflected()
	l.pending = nil
	ld.addTypes()
	ld.addItabs()
	for _, n := range ld.nodes {
		if v := n.redo; v != nil {
			l.host.TypedMemmove(platform.Pointer(v.typ), platform.Pointer(v.addr), platform.Pointer(n.addr))
		}
	}
}

// remember keeps what later loads refer to. Names are copied: they lie in the
// object's bytes.
func (ld *load) remember(n *node) {
	switch {
	case n.global:
		ld.globals[symKey{strings.Clone(n.name), keyABI(n.sym)}] = target{node: n}.address()
	case n.obj.main && n.redo == nil && ld.byName[symKey{n.name, goobj.ABI0}] == n && n.kind.IsVar():
		v := &variable{addr: n.addr, size: uintptr(n.sym.Size())}
		if ref, ok := n.sym.Aux(goobj.AuxGotype); ok {
			if t, err := ld.resolve(n.obj, ref); err == nil {
				v.typ = t.address()
			}
		}
		name := strings.Clone(n.name)
		if old := ld.vars[name]; old != nil {
			ld.setOld(name, old)
		}
		ld.vars[name] = v
	}
	if !n.obj.main {
		n.obj.fixed[n.i] = target{node: n}.address()
	}
}

// addTypes enters new descriptors into the list that reflect searches by
// string, so that reflect.SliceOf and its kin find them.
func (ld *load) addTypes() {
	m := ld.mod
	grown := false
	for _, n := range ld.nodes {
		if n.typ != nil && ld.typeDone[n.name] == nil {
			n.typ.addr, n.typ.era = target{node: n}.address(), ld.era
			ld.types[n.typ.name] = n.typ
			if ld.mod.ReadOnly.Contains(n.typ.addr) {
				ld.described = append(ld.described, n.typ.addr)
			}
		}
		if n.sym.Typelink() && n.made == nil && ld.typeDone[n.name] == nil {
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
	w := ld.host.StopTheWorld(goruntime.StopReason)
	ld.host.PublishTypes(m.ModuleData, offs)
	ld.host.StartTheWorld(w)
}

// addItabs hands new interface tables to the runtime.
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
	ld.host.AddItabs(ld.mod.ModuleData, list)
}
