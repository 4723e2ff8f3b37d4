package link

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// The structures below mirror those of runtime/symtab.go, runtime/runtime2.go
// and internal/abi; what differs between releases stands in files named after
// them. layout_test.go pins sizes and offsets against the runtime's own, read
// from debug information.

type sliceHeader struct {
	ptr      uintptr
	len, cap int
}

func (h *sliceHeader) set(ptr uintptr, n int) { *h = sliceHeader{ptr, n, n} }

type stringHeader struct {
	ptr uintptr
	len int
}

type bitvector struct {
	n        int32
	bytedata uintptr
}

const (
	pcHeaderSize = 8 + 8*8
	pclnMagic    = 0xfffffff1

	// funcSize is the size of runtime._func without its variable part.
	funcSize    = 44
	funcNameOff = 4

	funcBucket    = 4096 // bytes of text per findfunc bucket
	funcSubbucket = 256
	bucketSize    = 4 + funcBucket/funcSubbucket

	pcdataUnsafePoint  = 0
	pcdataInlTreeIndex = 2
	funcdataInlTree    = 3
	funcdataOpenDefers = 4
)

// worldStop goes from stopTheWorld to startTheWorld, in registers: its fields
// must be those of runtime.worldStop.
//
//lint:ignore U1000 nobody looks inside
type worldStop struct {
	reason                                             uint8
	startedStopping, finishedStopping, stoppingCPUTime int64
}

// A host gives access to the runtime that this process runs on.
type host struct {
	first       *moduleData
	last        *uintptr // runtime.lastmoduledatap
	itabTable   *uintptr
	zerobase    uintptr
	deferreturn uintptr
	tlsDistance int64
	cgo         bool // the image contains C code
	release
	modulesinit  func()
	stop         func(reason uint8) worldStop
	start        func(worldStop)
	typedmemmove func(typ, dst, src unsafe.Pointer)
	typedmemclr  func(typ, p unsafe.Pointer)
	heap         uintptr  // runtime.mheap_
	finalizers   *uintptr // runtime.allfin
}

// stwPlugin is some valid runtime.stwReason; it names the pause in traces.
const stwReason = 1

func newHost(idx *Index) (*host, error) {
	h := new(host)
	var missing error
	addr := func(name string) uintptr {
		p, ok := idx.Lookup(name, 1)
		if !ok && missing == nil {
			missing = fmt.Errorf("the image lacks runtime symbol %s", name)
		}
		return p
	}
	h.first = (*moduleData)(platform.Pointer(addr("runtime.firstmoduledata")))
	h.last = (*uintptr)(platform.Pointer(addr("runtime.lastmoduledatap")))
	h.itabTable = (*uintptr)(platform.Pointer(addr("runtime.itabTable")))
	h.zerobase = addr("runtime.zerobase")
	h.deferreturn = addr("runtime.deferreturn")
	h.modulesinit = funcAt[func()](addr("runtime.modulesinit"))
	h.release.find(addr)
	h.stop = funcAt[func(uint8) worldStop](addr("runtime.stopTheWorld"))
	h.start = funcAt[func(worldStop)](addr("runtime.startTheWorld"))
	h.typedmemmove = funcAt[func(typ, dst, src unsafe.Pointer)](addr("runtime.typedmemmove"))
	h.typedmemclr = funcAt[func(typ, p unsafe.Pointer)](addr("runtime.typedmemclr"))
	h.heap = addr("runtime.mheap_")
	h.finalizers = (*uintptr)(platform.Pointer(addr("runtime.allfin")))
	iscgo := (*bool)(platform.Pointer(addr("runtime.iscgo")))
	if missing != nil {
		return nil, missing
	}
	h.cgo = *iscgo
	h.tlsDistance = tlsDistance
	if d, ok := idx.Lookup(TLSDistance, 1); ok {
		h.tlsDistance = int64(d)
	}
	if m := *(*uint32)(platform.Pointer(h.first.pcHeader)); m != pclnMagic {
		return nil, fmt.Errorf("the image's function table has magic %#x, not %#x", m, uint32(pclnMagic))
	}
	if t, ok := idx.Lookup("runtime.text", 1); !ok || t != h.first.text {
		return nil, fmt.Errorf("the image's module data does not have the expected layout")
	}
	return h, nil
}

func (h *host) layout() layout {
	if h.cgo {
		return cLayout()
	}
	return plainLayout()
}

// funcAt makes a function value of the code at pc.
func funcAt[F any](pc uintptr) F {
	fv := &struct{ pc uintptr }{pc}
	return *(*F)(unsafe.Pointer(&fv))
}

// An itab mirrors internal/abi.ITab.
type itab struct {
	inter, typ uintptr
	hash       uint32
	fun        [1]uintptr
}

const itabFixed = 24 // bytes before fun

// findItab looks an interface table up as the runtime does: the table is an
// open-addressed hash set that is replaced when it grows.
func (h *host) findItab(inter, typ uintptr) *itab {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	entries := uintptr(t) + 16
	mask := size - 1
	i := uintptr(typeHash(inter)^typeHash(typ)) & mask
	for step := uintptr(1); ; step++ {
		p := atomic.LoadUintptr((*uintptr)(platform.Pointer(entries + i*8)))
		if p == 0 {
			return nil
		}
		if m := (*itab)(platform.Pointer(p)); m.inter == inter && m.typ == typ {
			return m
		}
		i = (i + step) & mask
	}
}

// Offsets into internal/abi.Type and the structures that begin with it.
const (
	typeSizeOff     = 0
	typePtrBytesOff = 8
	typeHashOff     = 16
	typeTFlagOff    = 20
	typeKindOff     = 23
	typeEqualOff    = 24
	typeGCDataOff   = 32
	typeStrOff      = 40
	typePtrThisOff  = 44
	typeHeader      = 48

	tflagUncommon  = 1 << 0
	tflagExtraStar = 1 << 1
	tflagNamed     = 1 << 2

	structFieldsOff = 56
	structFieldSize = 24

	uncommonSize = 16
	methodSize   = 16
)

const (
	kindArray     = 17
	kindChan      = 18
	kindFunc      = 19
	kindInterface = 20
	kindMap       = 21
	kindPointer   = 22
	kindSlice     = 23
	kindString    = 24
	kindStruct    = 25
	kindUnsafePtr = 26
)

// uncommonOff is where the uncommonType of a type of this kind stands.
func uncommonOff(kind uint8) int {
	switch kind {
	case kindPointer, kindSlice, kindFunc:
		return 56
	case kindChan:
		return 64
	case kindArray:
		return 72
	case kindInterface, kindStruct:
		return 80
	case kindMap:
		return mapTypeSize
	}
	return typeHeader
}

func loadAt[T any](p uintptr) T { return *(*T)(platform.Pointer(p)) }

func typeHash(t uintptr) uint32 { return loadAt[uint32](t + typeHashOff) }
func typeKind(t uintptr) uint8  { return loadAt[uint8](t+typeKindOff) & 31 }

// pointerMask calls set with the offset of every word of type t that may hold
// a pointer.
func pointerMask(t, off uintptr, set func(off uintptr)) {
	if loadAt[uintptr](t+typePtrBytesOff) == 0 {
		return
	}
	switch typeKind(t) {
	case kindArray:
		elem, n := loadAt[uintptr](t+48), loadAt[uintptr](t+64)
		for i := range n {
			pointerMask(elem, off+i*loadAt[uintptr](elem), set)
		}
	case kindStruct:
		fields, n := loadAt[uintptr](t+structFieldsOff), loadAt[uintptr](t+structFieldsOff+8)
		for i := range n {
			f := fields + i*structFieldSize
			pointerMask(loadAt[uintptr](f+8), off+loadAt[uintptr](f+16), set)
		}
	case kindInterface:
		set(off)
		set(off + 8)
	default: // pointers, and strings and slices, whose pointer comes first
		set(off)
	}
}

// eachItab calls f with every interface table the runtime knows.
func (h *host) eachItab(f func(*itab)) {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	for i := range size {
		if p := atomic.LoadUintptr((*uintptr)(platform.Pointer(uintptr(t) + 16 + i*8))); p != 0 {
			f((*itab)(platform.Pointer(p)))
		}
	}
}

// itabCount is how many interface tables the runtime knows.
func (h *host) itabCount() uintptr {
	return loadAt[uintptr](atomic.LoadUintptr(h.itabTable) + 8)
}

// replaceItab puts one interface table in the place of another of the same types.
func (h *host) replaceItab(old, now *itab) {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	for i := range size {
		if p := (*uintptr)(platform.Pointer(uintptr(t) + 16 + i*8)); atomic.LoadUintptr(p) == addressOf(old) {
			atomic.StoreUintptr(p, addressOf(now))
		}
	}
}
