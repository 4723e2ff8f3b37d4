//go:build go1.26 && !go1.27

package goruntime

import "unsafe"

// mapTypeSize is the size of internal/abi.MapType.
const mapTypeSize = 112

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

// PublishTypes has reflect find our types by their strings: offsets from
// md.types, sorted by string. The caller has stopped the world, since readers copy the slice
// header, three words, of which they must not see half.
func (h *Runtime) PublishTypes(md *ModuleData, offs []int32) {
	md.typelinks.Set(uintptr(unsafe.Pointer(&offs[0])), len(offs))
	h.oldLinks = append(h.oldLinks[max(0, len(h.oldLinks)-8):], h.published)
	h.published = offs
}

// AddItabs hands interface tables to the runtime. itabsinit takes the table's
// lock and adds what every module lists; those already there are passed over.
func (h *Runtime) AddItabs(md *ModuleData, list []uintptr) {
	md.itablinks.Set(uintptr(unsafe.Pointer(&list[0])), len(list))
	h.itabsinit()
	md.itablinks = SliceHeader{}
}

// typeMap is what a module's typemap points to: types by the offset of what
// stands for them in the module.
type typeMap map[int32]unsafe.Pointer

func (t typeMap) at(md *ModuleData, addr uintptr) unsafe.Pointer { return t[int32(addr-md.Types)] }

func (t typeMap) set(md *ModuleData, addr uintptr, typ unsafe.Pointer) { t[int32(addr-md.Types)] = typ }

// links are the lists that have been published.
type links struct {
	published []int32 // what md.typelinks points to; referenced here for the collector
	oldLinks  [][]int32
}

// A release is what newHost looks up for this release alone.
type release struct{ itabsinit func() }

func (r *release) find(addr func(name string) uintptr) {
	r.itabsinit = FuncAt[func()](addr("runtime.itabsinit"))
}
