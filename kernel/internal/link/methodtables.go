package link

import (
	"encoding/binary"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// When the methods of a type change, its descriptor stays in place, since values refer to it, and
// gets the new method table. The interface tables of the type are updated, so that calls through
// interfaces use the new methods.
//
// There may be values in interfaces that their type no longer implements. The interface tables of these values are
// retired: they are removed from the runtime's table, so that no type assertion finds them. In a retired table, a
// removed method keeps its last body.

// An itabUpdate is a change of an interface table.
type itabUpdate struct {
	m         *goruntime.Itab
	fun       []uintptr       // new functions of m
	listed    *goruntime.Itab // the entry of the runtime's table for these types
	successor *goruntime.Itab // the new entry
}

// moveFields moves the fields in the descriptor of an unnamed struct type to the space after the
// descriptor, which makes room for an uncommon part in their place.
func (ld *load) moveFields(n *node) {
	from := uintptr(goruntime.UncommonOff(goruntime.KindStruct))
	size := uintptr(n.sym.Size())
	to := (size + 7) &^ 7
	b := ld.mod.ReadOnly.Bytes(n.addr, int(to+size-from))
	copy(b[to:], b[from:size])
	binary.LittleEndian.PutUint64(b[goruntime.StructFieldsOff:], uint64(n.addr+to))
}

// applyMethods gives old descriptors their new method tables, which are part of the new
// descriptors, and updates interface tables. swap makes the stubs jump to new code. All
// of this happens with the world stopped, so that other goroutines never see only a part of the changes.
func (ld *load) applyMethods(swap func()) {
	if len(ld.methodUpdates) == 0 {
		swap()
		return
	}
	var updates []itabUpdate
	var w goruntime.WorldStop
	for {
		count := ld.runtime.ItabCount()
		updates = ld.itabUpdates()
		w = ld.runtime.StopTheWorld(goruntime.StopReason) // the code up to StartTheWorld must not allocate
		if ld.runtime.ItabCount() == count {
			break
		}
		ld.runtime.StartTheWorld(w) // another goroutine has added an interface table
	}
	for i := range updates {
		ld.applyItab(&updates[i])
	}
	swap()
	for i := range ld.methodUpdates {
		ld.moveMethods(&ld.methodUpdates[i])
	}
	ld.runtime.StartTheWorld(w)
	for _, u := range updates {
		pair := itabKey{u.m.Inter, u.m.Typ}
		if u.successor == u.m {
			delete(ld.retired, pair)
		} else {
			ld.retired[pair] = &retiredItab{u.m, u.successor}
		}
	}
	for _, u := range ld.methodUpdates {
		u.rec.data, u.rec.fields = u.n.typ.data, u.n.typ.fields
	}
	goruntime.ClearAssertionCaches()
	ld.noteCaches()
}

func (ld *load) applyItab(u *itabUpdate) {
	at := goruntime.AddressOf(u.m) + goruntime.ItabHeaderSize
	if ld.mod.ReadOnly.Contains(at) { // a table outside of this area is in writable memory, where the runtime allocated it
		at += ld.mod.ReadOnly.WriteOffset
	}
	copy(unsafe.Slice((*uintptr)(platform.Pointer(at)), len(u.fun)), u.fun)
	if u.successor != u.listed {
		ld.runtime.ReplaceItab(u.listed, u.successor)
	}
}

// moveMethods makes the old descriptor refer to the method table of the new one.
func (ld *load) moveMethods(u *methodUpdate) {
	off := uintptr(goruntime.UncommonOff(u.rec.kind()))
	flags := &ld.mod.ReadOnly.Bytes(u.rec.addr, goruntime.TypeHeader)[goruntime.TypeTFlagOff]
	if !u.n.typ.hasUncommon() {
		if *flags&goruntime.TFlagUncommon != 0 {
			clear(ld.mod.ReadOnly.Bytes(u.rec.addr+off, goruntime.UncommonSize)[4:8]) // the method counts
		}
		return
	}
	if *flags&goruntime.TFlagUncommon == 0 && !u.rec.hasRoom {
		return
	}
	from, to := u.n.addr+off, u.rec.addr+off
	src := ld.mod.ReadOnly.Bytes(from, goruntime.UncommonSize)
	dst := ld.mod.ReadOnly.Bytes(to, goruntime.UncommonSize)
	copy(dst, src)
	binary.LittleEndian.PutUint32(dst[8:], binary.LittleEndian.Uint32(src[8:])+uint32(from-to))
	*flags |= goruntime.TFlagUncommon
}

// itabUpdates returns the changes of the interface tables of the types
// whose methods change.
func (ld *load) itabUpdates() []itabUpdate {
	now := map[uintptr]uintptr{} // by type: the address of the new descriptor
	for _, u := range ld.methodUpdates {
		now[u.rec.addr] = u.n.addr
	}
	var list []itabUpdate
	ld.runtime.EachItab(func(m *goruntime.Itab) {
		if t, ok := now[m.Typ]; ok {
			if u, ok := ld.itabUpdate(m, t); ok {
				list = append(list, u)
			}
		}
	})
	return list
}

// itabUpdate returns the change of interface table m. t is the descriptor with the new
// methods of its type. ok is false if m does not change.
func (ld *load) itabUpdate(m *goruntime.Itab, t uintptr) (itabUpdate, bool) {
	u := itabUpdate{m: m, listed: m, successor: m}
	retired := ld.retired[itabKey{m.Inter, m.Typ}]
	if retired != nil {
		u.m, u.successor = retired.itab, retired.itab
	}
	missing := false
	methods := ld.methodsOf(t)
	for i, old := range unsafe.Slice(&u.m.Fun[0], goruntime.InterfaceMethods(m.Inter)) {
		f, ok := methods[ld.interfaceMethod(m.Inter, i)]
		if !ok {
			missing = true
			f = ld.body(old)
		}
		u.fun = append(u.fun, f)
	}
	switch {
	case missing && retired != nil:
		u.successor = retired.standIn
	case missing && m.Fun[0] == 0:
		return u, false // the type never implemented the interface
	case missing:
		u.successor = negativeItab(m)
	}
	return u, true
}

// negativeItab returns an interface table which says that m's type does not implement m's
// interface. It has room for the methods.
func negativeItab(m *goruntime.Itab) *goruntime.Itab {
	words := make([]uintptr, goruntime.ItabHeaderSize/8+goruntime.InterfaceMethods(m.Inter))
	n := (*goruntime.Itab)(unsafe.Pointer(&words[0]))
	n.Inter, n.Typ, n.Hash = m.Inter, m.Typ, m.Hash
	return n
}

// body returns the address of the code that the stub fun jumps to at present, or fun if it is not a stub.
func (ld *load) body(fun uintptr) uintptr {
	if !ld.mod.Text.Contains(fun) {
		return fun
	}
	if slot := stubSlot(fun); slot != 0 {
		return platform.Read[uintptr](slot)
	}
	return fun
}

// A methodKey identifies a method of a type or an interface.
type methodKey struct {
	name, pkg string // pkg is empty if the name is exported
	typ       uintptr
}

// methodsOf returns the methods of a descriptor, with the addresses of the functions for
// calls through interfaces.
func (ld *load) methodsOf(t uintptr) map[methodKey]uintptr {
	n := goruntime.MethodCount(t)
	if n == 0 {
		return nil
	}
	u := t + uintptr(goruntime.UncommonOff(goruntime.TypeKind(t)))
	list := make(map[methodKey]uintptr, n)
	for i := range uintptr(n) {
		m := u + uintptr(platform.Read[uint32](u+8)) + i*goruntime.MethodSize
		k := ld.methodKey(platform.Read[int32](m), platform.Read[int32](m+4), ld.mod.ModuleData.NameAt(platform.Read[int32](u)))
		list[k] = ld.mod.ModuleData.Text + uintptr(platform.Read[int32](m+8))
	}
	return list
}

func (ld *load) interfaceMethod(inter uintptr, i int) methodKey {
	m := platform.Read[uintptr](inter+goruntime.InterfaceMethodsOff) + uintptr(i)*goruntime.InterfaceMethodSize
	pkg := ""
	if p := platform.Read[uintptr](inter + goruntime.InterfacePkgOff); p != 0 {
		pkg, _ = goruntime.NameText(p)
	}
	return ld.methodKey(platform.Read[int32](m), platform.Read[int32](m+4), pkg)
}

// methodKey returns the key for the offsets of a method's name and type. pkg is the
// package of an unexported name that does not contain its package.
func (ld *load) methodKey(name, typ int32, pkg string) methodKey {
	const exported, hasTag, hasPkg = 1 << 0, 1 << 1, 1 << 2
	p := ld.mod.ModuleData.Types + uintptr(name)
	k := methodKey{typ: ld.mod.ModuleData.Types + uintptr(typ)}
	if made := ld.reflected.MadeType(ld.mod.ModuleData, k.typ); made != nil {
		k.typ = uintptr(made)
	}
	var end uintptr
	k.name, end = goruntime.NameText(p)
	switch flags := platform.Read[byte](p); {
	case flags&exported != 0:
	case flags&hasPkg != 0 && flags&hasTag == 0:
		k.pkg = ld.mod.ModuleData.NameAt(platform.Read[int32](end))
	default:
		k.pkg = pkg
	}
	return k
}

// updateMethods adds nodes for the new descriptors of types that stay the same except
// for their methods.
func (ld *load) updateMethods() {
	for i := range ld.main.NumDef() {
		s := ld.main.Sym(i)
		name := s.Name()
		if !isType(s, name) {
			continue
		}
		old := ld.types[name]
		if old == nil || !ld.mod.ReadOnly.Contains(old.addr) { // reflect made the type: its methods cannot be replaced
			continue
		}
		r := newTypeRecord(ld.main, i, name)
		if sameMethods(old, r) {
			continue
		}
		if _, decided := ld.decidedTypes[name]; !decided { // the object does not refer to the type, but values of it may exist
			ld.decideTypes(ld.main, i, name)
		}
		if ld.decidedTypes[name] != old || ld.byName[symKey{name, goobj.ABIStatic}] != nil {
			continue
		}
		n := ld.addNode(ld.main, i)
		delete(ld.byDef, defRef{ld.main, i})
		ld.byName[symKey{name, goobj.ABIStatic}] = n
		n.typ = r
		ld.methodUpdates = append(ld.methodUpdates, methodUpdate{old, n})
	}
}
