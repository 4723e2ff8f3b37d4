//go:build go1.27 && !go1.28

package goruntime

import (
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// mapTypeSize is the size of internal/abi.MapType.
const mapTypeSize = 136

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
	Types                 uintptr
	typedesclen           uintptr
	Etypes                uintptr
	itaboffset, itabsize  uintptr
	Rodata                uintptr
	Gofunc                uintptr
	Epclntab              uintptr

	textsectmap SliceHeader
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

// PublishTypes lets reflect find the types of md by their strings. offs are their offsets from md.Types, sorted by
// string. The runtime makes the list of a module's types on the first use and keeps it; PublishTypes replaces that
// list. The caller must have stopped the world, so no goroutine holds the lock of these lists.
func (h *Runtime) PublishTypes(md *ModuleData, offs []int32) {
	list := make([]unsafe.Pointer, len(offs))
	for i, off := range offs {
		list[i] = platform.Pointer(md.Types + uintptr(off))
	}
	if *h.typelinks == nil {
		*h.typelinks = map[unsafe.Pointer][]unsafe.Pointer{}
	}
	(*h.typelinks)[unsafe.Pointer(md)] = list
}

// AddItabs adds interface tables to the runtime's table. The runtime's function for the tables of a
// module cannot be used, since it expects the tables to be adjacent in memory.
func (h *Runtime) AddItabs(_ *ModuleData, list []uintptr) {
	w := h.StopTheWorld(StopReason) // so no thread holds the table's lock
	for _, p := range list {
		h.itabAdd(platform.Pointer(p))
	}
	h.StartTheWorld(w)
}

// typeMap is the type of a module's typemap: types, by the address of their
// copy in the module.
type typeMap map[unsafe.Pointer]unsafe.Pointer

func (t typeMap) at(_ *ModuleData, addr uintptr) unsafe.Pointer { return t[platform.Pointer(addr)] }

func (t typeMap) set(_ *ModuleData, addr uintptr, typ unsafe.Pointer) {
	t[platform.Pointer(addr)] = typ
}

// links is empty: the runtime keeps the lists that were passed to PublishTypes.
type links struct{}

// A release holds the functions and variables that NewRuntime looks up only for this release of Go.
type release struct {
	itabAdd func(unsafe.Pointer)
	// typelinks is runtime.moduleToTypelinks, which maps a moduledata to its types.
	typelinks *map[unsafe.Pointer][]unsafe.Pointer
}

func (r *release) find(addr func(name string) uintptr) {
	r.itabAdd = FuncAt[func(unsafe.Pointer)](addr("runtime.itabAdd"))
	r.typelinks = (*map[unsafe.Pointer][]unsafe.Pointer)(platform.Pointer(addr("runtime.moduleToTypelinks")))
}
