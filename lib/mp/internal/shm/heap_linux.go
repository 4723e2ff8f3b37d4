package shm

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps a range of a file. If inHeap, the mapping lies over an object of Go's heap,
// so the memory stays for as long as anything points into it.
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
	// A finalizer, since the collector keeps the object until it has run. A
	// cleanup runs when the memory may already be in use again.
	runtime.SetFinalizer(object, func(object *byte) { unmapFromHeap(object, past, size) })
	return unsafe.Slice((*byte)(start), size), nil
}

// largeObject is a size from which on the heap gives an object separate pages.
const largeObject = 64 << 10

// heapPages allocates an object without pointers. Its first page begins the
// given number of bytes past its address.
func heapPages(room, page int) (object *byte, past uintptr) {
	var b strings.Builder // the one way to memory that is not cleared first
	b.Grow(max(room, largeObject))
	b.WriteByte(0)
	object = unsafe.StringData(b.String())
	return object, -uintptr(unsafe.Pointer(object)) & uintptr(page-1)
}

// heapMargin is what the heap may take beyond an object's size.
const heapMargin = 8 << 20

// HeapAllows returns an error if the system would refuse the heap that many
// bytes, which ends the process.
func HeapAllows(size int) error {
	if size < heapMargin {
		return nil
	}
	b, err := unix.Mmap(-1, 0, size+heapMargin, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("no room in the address space: %w", err)
	}
	return unix.Munmap(b)
}

// unmapFromHeap puts ordinary memory in the place of a mapping. If the system
// refuses that now, the collector tries again later.
func unmapFromHeap(object *byte, past uintptr, size int) {
	if mapAt(unsafe.Add(unsafe.Pointer(object), past), size, -1, 0, unix.MAP_PRIVATE|unix.MAP_ANON) != nil {
		runtime.SetFinalizer(object, func(object *byte) { unmapFromHeap(object, past, size) })
	}
}

// mapAt replaces the mapping of an address. (unix.MmapPtr computes an address
// from the result, which the compiler's pointer checks refuse.)
func mapAt(start unsafe.Pointer, size, fd, from, flags int) error {
	_, _, errno := unix.Syscall6(unix.SYS_MMAP, uintptr(start), uintptr(size),
		unix.PROT_READ|unix.PROT_WRITE, uintptr(flags|unix.MAP_FIXED), uintptr(fd), uintptr(from))
	if errno != 0 {
		return errno
	}
	return nil
}
