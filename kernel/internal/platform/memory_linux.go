// Package platform has the code that depends on the operating system: memory mappings and
// details of processes.
package platform

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pointer converts an address outside the Go heap to a pointer.
//
// It must not be inlined: inlining it into a copy of constant size crashes the compiler of Go 1.26 ("disjointTypes: one
// of arguments is not a pointer"). Signal handlers call it, so the race detector must not check it.
//
//go:noinline
//go:norace
func Pointer(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// Bytes returns the n bytes at addr, which must be outside the Go heap.
func Bytes(addr uintptr, n int) []byte { return unsafe.Slice((*byte)(Pointer(addr)), n) }

// Prot is the protection of the memory of a DualMap at its main address.
type Prot int

// Protections of a DualMap's main address. A DualMap is written only through its alias.
const (
	ReadOnly Prot = unix.PROT_READ
	Execute  Prot = unix.PROT_READ | unix.PROT_EXEC
)

// Reserve maps n bytes of zeroed, writable memory at exactly addr, or anywhere if addr is 0. A page uses memory only
// after the first access to it. The mapping is shared, so it does not count towards RLIMIT_DATA, which limits the
// memory of users' programs.
func Reserve(addr uintptr, n int) (uintptr, error) {
	return mmap(addr, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANONYMOUS, -1)
}

// DualMap maps the same n bytes twice: with prot at addr, and writable at the
// returned alias. Code and constants are written through the alias, so that no
// address is ever both writable and executable.
func DualMap(addr uintptr, n int, prot Prot) (alias uintptr, err error) {
	fd, err := unix.MemfdCreate("perijove", unix.MFD_CLOEXEC)
	if err != nil {
		return 0, fmt.Errorf("cannot make a file in memory (memfd_create): %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(n)); err != nil {
		return 0, fmt.Errorf("cannot set the size of a file in memory to %d MB (ftruncate): %w", n>>20, err)
	}
	if _, err := mmap(addr, n, int(prot), 0, fd); err != nil {
		return 0, err
	}
	return mmap(0, n, unix.PROT_READ|unix.PROT_WRITE, 0, fd)
}

func mmap(addr uintptr, n, prot, flags, fd int) (uintptr, error) {
	flags |= unix.MAP_SHARED | unix.MAP_NORESERVE
	if addr != 0 {
		flags |= unix.MAP_FIXED_NOREPLACE
	}
	p, err := unix.MmapPtr(fd, 0, Pointer(addr), uintptr(n), prot, flags)
	if err != nil {
		return 0, fmt.Errorf("cannot map %d MB of memory at the address %#x (mmap): %w", n>>20, addr, err)
	}
	if addr != 0 && uintptr(p) != addr {
		_ = unix.MunmapPtr(p, uintptr(n))
		return 0, fmt.Errorf("cannot map %d MB of memory at the address %#x (mmap): %w", n>>20, addr, unix.EEXIST) // Linux before 4.17 ignores MAP_FIXED_NOREPLACE
	}
	return uintptr(p), nil
}
