//go:build go1.26 && !go1.27

package link

import "unsafe"

// mapTypeSize is the size of internal/abi.MapType.
const mapTypeSize = 112

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
	types, etypes         uintptr
	rodata                uintptr
	gofunc                uintptr
	epclntab              uintptr

	textsectmap sliceHeader
	typelinks   sliceHeader
	itablinks   sliceHeader
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
// md.types, sorted by string. The caller has stopped the world, since readers copy the slice
// header, three words, of which they must not see half.
func (h *Runtime) publishTypes(md *moduleData, offs []int32) {
	md.typelinks.set(uintptr(unsafe.Pointer(&offs[0])), len(offs))
	h.oldLinks = append(h.oldLinks[max(0, len(h.oldLinks)-8):], h.published)
	h.published = offs
}

// addItabs hands interface tables to the runtime. itabsinit takes the table's
// lock and adds what every module lists; those already there are passed over.
func (h *Runtime) addItabs(md *moduleData, list []uintptr) {
	md.itablinks.set(uintptr(unsafe.Pointer(&list[0])), len(list))
	h.itabsinit()
	md.itablinks = sliceHeader{}
}

// typeMap is what a module's typemap points to: types by the offset of what
// stands for them in the module.
type typeMap map[int32]unsafe.Pointer

func (t typeMap) at(md *moduleData, addr uintptr) unsafe.Pointer { return t[int32(addr-md.types)] }

func (t typeMap) set(md *moduleData, addr uintptr, typ unsafe.Pointer) { t[int32(addr-md.types)] = typ }

// links are the lists that have been published.
type links struct {
	published []int32 // what md.typelinks points to; referenced here for the collector
	oldLinks  [][]int32
}

// A release is what newHost looks up for this release alone.
type release struct{ itabsinit func() }

func (r *release) find(addr func(name string) uintptr) {
	r.itabsinit = funcAt[func()](addr("runtime.itabsinit"))
}
