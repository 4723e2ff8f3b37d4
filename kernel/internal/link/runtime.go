package link

import (
	"fmt"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/symindex"
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

// A Runtime gives access to the runtime that this process runs on.
type Runtime struct {
	idx         *symindex.Index
	first       *moduleData
	last        *uintptr // runtime.lastmoduledatap
	itabTable   *uintptr
	zerobase    uintptr
	deferreturn uintptr
	tlsDistance int64
	cgo         bool // the image contains C code
	release
	links
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

func NewRuntime(idx *symindex.Index) (*Runtime, error) {
	h := &Runtime{idx: idx}
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
	if d, ok := idx.Lookup(symindex.TLSDistance, 1); ok {
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

// funcAt makes a function value of the code at pc.
func funcAt[F any](pc uintptr) F {
	fv := &struct{ pc uintptr }{pc}
	return *(*F)(unsafe.Pointer(&fv))
}

// initTaskFuncs lists the functions that the runtime.initTask at addr runs.
func initTaskFuncs(addr uintptr) []func() {
	n := int(platform.Read[uint32](addr + 4))
	var list []func()
	for i := range n {
		list = append(list, funcAt[func()](platform.Read[uintptr](addr+8+uintptr(i)*8)))
	}
	return list
}
