package goruntime

import "github.com/perijove/perijove/kernel/internal/platform"

// eachSpan calls f with every span of the heap that has objects.
func (h *Runtime) eachSpan(f func(span uintptr)) {
	list := platform.Read[SliceHeader](h.heapAddr + heapSpans)
	for i := range uintptr(list.len) {
		if span := platform.Read[uintptr](list.ptr + 8*i); platform.Read[uint8](span+spanState) == spanInUse {
			f(span)
		}
	}
}

// pointerBytes returns the size of the heap's spans for objects with pointers, in bytes.
func (h *Runtime) pointerBytes() uintptr {
	sum := uintptr(0)
	h.eachSpan(func(span uintptr) {
		if platform.Read[uint8](span+spanClass)&1 == 0 {
			sum += platform.Read[uintptr](span+spanPages) << 13
		}
	})
	return sum
}

// eachQueuedFinalizer calls f with the address ranges of the blocks that hold queued finalizers.
func (h *Runtime) eachQueuedFinalizer(f func(from, to uintptr, code bool)) {
	const size = 4096
	for b := *h.finalizers; b != 0; b = platform.Read[uintptr](b) {
		f(b, b+size, false)
	}
}

// Offsets into runtime.mheap, runtime.mspan and runtime.specialfinalizer in Go
// 1.26 and 1.27.
const (
	heapSpans     = 65864
	spanStart     = 24
	spanPages     = 32
	spanElems     = 50
	spanFreeIndex = 52 // freeIndexForScan
	spanAllocBits = 64
	spanClass     = 98
	spanState     = 99
	spanElemSize  = 104
	spanSpecials  = 128
	specialFunc   = 24
	gSyscallSP    = 104
)

const spanInUse = 1 // a value of runtime.mSpanState

// spanIsFree reports whether object i of a span is free, as runtime.(*mspan).isFree does.
func spanIsFree(span, i uintptr) bool {
	if i < uintptr(platform.Read[uint16](span+spanFreeIndex)) {
		return false
	}
	return platform.Read[uint8](platform.Read[uintptr](span+spanAllocBits)+i/8)&(1<<(i%8)) == 0
}
