//go:build go1.27 && !go1.28

package link

import (
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// mapTypeSize is the size of internal/abi.MapType.
const mapTypeSize = 136

type moduleData struct {
	pcHeader    uintptr
	funcnametab sliceHeader
	cutab       sliceHeader
	filetab     sliceHeader
	pctab       sliceHeader
	pclntable   sliceHeader
	ftab        sliceHeader
	findfunctab uintptr
	minpc       uintptr
	maxpc       uintptr

	text, etext           uintptr
	noptrdata, enoptrdata uintptr
	data, edata           uintptr
	bss, ebss             uintptr
	noptrbss, enoptrbss   uintptr
	covctrs, ecovctrs     uintptr
	end, gcdata, gcbss    uintptr
	types                 uintptr
	typedesclen           uintptr
	etypes                uintptr
	itaboffset, itabsize  uintptr
	rodata                uintptr
	gofunc                uintptr
	epclntab              uintptr

	textsectmap sliceHeader
	ptab        sliceHeader

	pluginpath stringHeader
	pkghashes  sliceHeader
	inittasks  sliceHeader

	modulename   stringHeader
	modulehashes sliceHeader

	hasmain uint8
	bad     bool

	gcdatamask, gcbssmask bitvector

	typemap uintptr
	next    uintptr
}

// publishTypes has reflect find our types by their strings: offsets from
// md.types, sorted by string. The runtime collects a module's types when it is
// first asked for them and keeps the list, which is replaced here. The caller
// has stopped the world, so nobody holds the lock of the lists.
func (h *Runtime) publishTypes(md *moduleData, offs []int32) {
	list := make([]unsafe.Pointer, len(offs))
	for i, off := range offs {
		list[i] = platform.Pointer(md.types + uintptr(off))
	}
	if *h.typelinks == nil {
		*h.typelinks = map[unsafe.Pointer][]unsafe.Pointer{}
	}
	(*h.typelinks)[unsafe.Pointer(md)] = list
}

// addItabs hands interface tables to the runtime. The runtime's own function for
// that expects the tables of a module side by side.
func (h *Runtime) addItabs(_ *moduleData, list []uintptr) {
	w := h.stop(stwReason) // so nobody holds the table's lock
	for _, p := range list {
		h.itabAdd(platform.Pointer(p))
	}
	h.start(w)
}

// typeMap is what a module's typemap points to: types by the address of what
// stands for them in the module.
type typeMap map[unsafe.Pointer]unsafe.Pointer

func (t typeMap) at(_ *moduleData, addr uintptr) unsafe.Pointer { return t[platform.Pointer(addr)] }

func (t typeMap) set(_ *moduleData, addr uintptr, typ unsafe.Pointer) {
	t[platform.Pointer(addr)] = typ
}

// links are the lists that have been published: the runtime keeps them.
type links struct{}

// A release is what newHost looks up for this release alone.
type release struct {
	itabAdd func(unsafe.Pointer)
	// typelinks is runtime.moduleToTypelinks, of moduledata to types.
	typelinks *map[unsafe.Pointer][]unsafe.Pointer
}

func (r *release) find(addr func(name string) uintptr) {
	r.itabAdd = funcAt[func(unsafe.Pointer)](addr("runtime.itabAdd"))
	r.typelinks = (*map[unsafe.Pointer][]unsafe.Pointer)(platform.Pointer(addr("runtime.moduleToTypelinks")))
}
