//go:build go1.26 && !go1.27

package goruntime

import "unsafe"

// mapTypeSize is the size of internal/abi.MapType.
const mapTypeSize = 112

// A ModuleData mirrors runtime.moduledata.
type ModuleData struct {
	PcHeader    uintptr
	Funcnametab SliceHeader
	Cutab       SliceHeader
	Filetab     SliceHeader
	Pctab       SliceHeader
	Pclntable   SliceHeader
	Ftab        SliceHeader
	Findfunctab uintptr
	Minpc       uintptr
	Maxpc       uintptr

	Text, Etext           uintptr
	Noptrdata, Enoptrdata uintptr
	Data, Edata           uintptr
	bss, ebss             uintptr
	noptrbss, enoptrbss   uintptr
	covctrs, ecovctrs     uintptr
	End, gcdata, gcbss    uintptr
	Types, Etypes         uintptr
	Rodata                uintptr
	Gofunc                uintptr
	Epclntab              uintptr

	textsectmap SliceHeader
	typelinks   SliceHeader
	itablinks   SliceHeader
	ptab        SliceHeader

	pluginpath stringHeader
	pkghashes  SliceHeader
	inittasks  SliceHeader

	modulename   stringHeader
	modulehashes SliceHeader

	hasmain uint8
	bad     bool

	Gcdatamask, gcbssmask BitVector

	typemap uintptr
	Next    uintptr
}

// PublishTypes lets reflect find the types of md by their strings. offs are their offsets from
// md.Types, sorted by string. The caller must have stopped the world: readers copy the slice
// header, and must not see a partly changed one.
func (h *Runtime) PublishTypes(md *ModuleData, offs []int32) {
	md.typelinks.Set(uintptr(unsafe.Pointer(&offs[0])), len(offs))
	h.oldLinks = append(h.oldLinks[max(0, len(h.oldLinks)-8):], h.published)
	h.published = offs
}

// AddItabs adds interface tables to the runtime's table. It calls runtime.itabsinit, which locks the table and adds
// the tables that modules list, except those that are in the table already.
func (h *Runtime) AddItabs(md *ModuleData, list []uintptr) {
	md.itablinks.Set(uintptr(unsafe.Pointer(&list[0])), len(list))
	h.itabsinit()
	md.itablinks = SliceHeader{}
}

// typeMap is the type of a module's typemap: types, by the offset of their
// copy in the module.
type typeMap map[int32]unsafe.Pointer

func (t typeMap) at(md *ModuleData, addr uintptr) unsafe.Pointer { return t[int32(addr-md.Types)] }

func (t typeMap) set(md *ModuleData, addr uintptr, typ unsafe.Pointer) { t[int32(addr-md.Types)] = typ }

// links holds the lists that were passed to PublishTypes.
type links struct {
	published []int32 // md.typelinks points to it; this reference keeps it from being garbage-collected
	oldLinks  [][]int32
}

// A release holds the functions that NewRuntime looks up only for this release of Go.
type release struct{ itabsinit func() }

func (r *release) find(addr func(name string) uintptr) {
	r.itabsinit = FuncAt[func()](addr("runtime.itabsinit"))
}
