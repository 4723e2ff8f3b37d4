package shm

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps a range of a file. If inHeap, the mapping replaces pages of an object in
// Go's heap, so the memory lives as long as a pointer into it.
func mapFile(fd, from, size int, inHeap bool) ([]byte, error) {
	if !inHeap {
		return unix.Mmap(fd, int64(from), size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	}
	page := os.Getpagesize()
	size = (size + page - 1) &^ (page - 1)
	room := size + page // the heap aligns to 8 KiB, pages may be larger
	if err := HeapAllows(room); err != nil {
		return nil, err
	}
	object, past := heapPages(room, page)
	start := unsafe.Add(unsafe.Pointer(object), past)
	if err := mapAt(start, size, fd, from, unix.MAP_SHARED|unix.MAP_NORESERVE); err != nil {
		return nil, err
	}
	// This is a finalizer, because the collector keeps the object until the finalizer has run. A
	// cleanup could run when the memory is already in use again.
	runtime.SetFinalizer(object, func(object *byte) { unmapFromHeap(object, past, size) })
	return unsafe.Slice((*byte)(start), size), nil
}

// largeObject is a size in bytes from which an object in the heap has separate pages.
const largeObject = 64 << 10

// heapPages allocates an object without pointers. The object's first whole page begins
// past bytes after its address.
func heapPages(room, page int) (object *byte, past uintptr) {
	var b strings.Builder // the only way to get memory that is not cleared
	b.Grow(max(room, largeObject))
	b.WriteByte(0)
	object = unsafe.StringData(b.String())
	return object, -uintptr(unsafe.Pointer(object)) & uintptr(page-1)
}

// heapMargin is how many bytes the heap may take beyond an object's size.
const heapMargin = 8 << 20

// HeapAllows returns an error if the system would not let the heap grow by size bytes. An
// allocation of that size would then crash the process.
func HeapAllows(size int) error {
	if size < heapMargin {
		return nil
	}
	b, err := unix.Mmap(-1, 0, size+heapMargin, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("the address space of this process has no room for %d more bytes: %w", size, err)
	}
	return unix.Munmap(b)
}

// unmapFromHeap replaces a mapping by ordinary memory. If the system refuses that, the
// finalizer is set again, so that a later collection retries it.
func unmapFromHeap(object *byte, past uintptr, size int) {
	if mapAt(unsafe.Add(unsafe.Pointer(object), past), size, -1, 0, unix.MAP_PRIVATE|unix.MAP_ANON) != nil {
		runtime.SetFinalizer(object, func(object *byte) { unmapFromHeap(object, past, size) })
	}
}

// mapAt replaces the mapping at an address. (unix.MmapPtr computes an address from the
// result; the compiler's pointer checks refuse that.)
func mapAt(start unsafe.Pointer, size, fd, from, flags int) error {
	_, _, errno := unix.Syscall6(unix.SYS_MMAP, uintptr(start), uintptr(size),
		unix.PROT_READ|unix.PROT_WRITE, uintptr(flags|unix.MAP_FIXED), uintptr(fd), uintptr(from))
	if errno != 0 {
		return errno
	}
	return nil
}
