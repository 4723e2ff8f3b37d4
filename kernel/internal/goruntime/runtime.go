// Package goruntime reads and changes the Go runtime of its process: unexported structures, goroutines and their
// stacks, the heap, and interface tables. It can also replace functions of the runtime. The image is the executable
// of the process. Package symindex has the index of its symbols.
//
// Layouts differ between Go releases, and some code differs between processors. Both are in files that are named
// after the release or the processor. layout_test.go compares sizes and offsets with those of the runtime, from debug
// information.
package goruntime

import (
	"fmt"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/symindex"
)

// The structures below mirror those of runtime/symtab.go, runtime/runtime2.go
// and internal/abi.

// A SliceHeader mirrors the header of a slice in memory.
type SliceHeader struct {
	ptr      uintptr
	len, cap int
}

// Set makes h the header of a slice with n elements at ptr.
func (h *SliceHeader) Set(ptr uintptr, n int) { *h = SliceHeader{ptr, n, n} }

type stringHeader struct {
	ptr uintptr
	len int
}

// A BitVector mirrors runtime.bitvector.
type BitVector struct {
	N        int32
	Bytedata uintptr
}

const (
	PCHeaderSize = 8 + 8*8
	pclnMagic    = 0xfffffff1

	// FuncSize is the size of runtime._func without its variable part, in bytes.
	FuncSize    = 44
	funcNameOff = 4

	FuncBucket    = 4096 // bytes of code per bucket of the findfunc table
	FuncSubbucket = 256
	BucketSize    = 4 + FuncBucket/FuncSubbucket

	PcdataUnsafePoint  = 0
	PcdataInlTreeIndex = 2
	FuncdataInlTree    = 3
	FuncdataOpenDefers = 4
)

// WorldStop is the result of StopTheWorld and the argument of StartTheWorld. It is passed in registers, so its fields
// must be those of runtime.worldStop.
//
//lint:ignore U1000 its fields are not read
type WorldStop struct {
	reason                                             uint8
	startedStopping, finishedStopping, stoppingCPUTime int64
}

// A Runtime gives access to the Go runtime of this process.
type Runtime struct {
	Index       *symindex.Index
	FirstModule *ModuleData
	LastModule  *uintptr // address of runtime.lastmoduledatap
	itabTable   *uintptr
	Zerobase    uintptr
	DeferReturn uintptr
	TLSDistance int64
	Cgo         bool // the image contains C code
	release
	links
	ModulesInit   func()
	StopTheWorld  func(reason uint8) WorldStop
	StartTheWorld func(WorldStop)
	TypedMemmove  func(typ, dst, src unsafe.Pointer)
	TypedMemclr   func(typ, p unsafe.Pointer)
	heapAddr      uintptr  // runtime.mheap_
	finalizers    *uintptr // runtime.allfin
}

// StopReason is a valid runtime.stwReason: the name of the pause in execution traces.
const StopReason = 1

// NewRuntime returns a Runtime that finds symbols in idx. It returns an error if the runtime lacks a symbol, or if
// its layout is not the expected one.
func NewRuntime(idx *symindex.Index) (*Runtime, error) {
	h := &Runtime{Index: idx}
	var missing error
	addr := func(name string) uintptr {
		p, ok := idx.Lookup(name, 1)
		if !ok && missing == nil {
			missing = noSymbol(name)
		}
		return p
	}
	h.FirstModule = (*ModuleData)(platform.Pointer(addr("runtime.firstmoduledata")))
	h.LastModule = (*uintptr)(platform.Pointer(addr("runtime.lastmoduledatap")))
	h.itabTable = (*uintptr)(platform.Pointer(addr("runtime.itabTable")))
	h.Zerobase = addr("runtime.zerobase")
	h.DeferReturn = addr("runtime.deferreturn")
	h.ModulesInit = FuncAt[func()](addr("runtime.modulesinit"))
	h.release.find(addr)
	h.StopTheWorld = FuncAt[func(uint8) WorldStop](addr("runtime.stopTheWorld"))
	h.StartTheWorld = FuncAt[func(WorldStop)](addr("runtime.startTheWorld"))
	h.TypedMemmove = FuncAt[func(typ, dst, src unsafe.Pointer)](addr("runtime.typedmemmove"))
	h.TypedMemclr = FuncAt[func(typ, p unsafe.Pointer)](addr("runtime.typedmemclr"))
	h.heapAddr = addr("runtime.mheap_")
	h.finalizers = (*uintptr)(platform.Pointer(addr("runtime.allfin")))
	iscgo := (*bool)(platform.Pointer(addr("runtime.iscgo")))
	if missing != nil {
		return nil, missing
	}
	h.Cgo = *iscgo
	h.TLSDistance = tlsDistance
	if d, ok := idx.Lookup(symindex.TLSDistance, 1); ok {
		h.TLSDistance = int64(d)
	}
	if m := *(*uint32)(platform.Pointer(h.FirstModule.PcHeader)); m != pclnMagic {
		return nil, fmt.Errorf("the function table of the worker image has the magic number %#x, not %#x: Perijove does not support this version of Go", m, uint32(pclnMagic))
	}
	if t, ok := idx.Lookup("runtime.text", 1); !ok || t != h.FirstModule.Text {
		return nil, fmt.Errorf("the module data of the worker image does not have the expected layout: Perijove does not support this version of Go")
	}
	return h, nil
}

// FuncAt returns a function value whose code is at pc.
func FuncAt[F any](pc uintptr) F {
	fv := &struct{ pc uintptr }{pc}
	return *(*F)(unsafe.Pointer(&fv))
}

// InitTaskFuncs returns the functions of the runtime.initTask at addr, in order.
func InitTaskFuncs(addr uintptr) []func() {
	n := int(platform.Read[uint32](addr + 4))
	var list []func()
	for i := range n {
		list = append(list, FuncAt[func()](platform.Read[uintptr](addr+8+uintptr(i)*8)))
	}
	return list
}
