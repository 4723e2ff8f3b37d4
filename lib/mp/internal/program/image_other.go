//go:build !linux

package program

import "unsafe"

// InImage reports whether addr is near a func value that is in the binary. On these systems
// Go's heap is far from the binary.
func InImage(addr uintptr) bool {
	const near = 1 << 29
	known := *(*uintptr)(unsafe.Pointer(&fixedPoint))
	return addr-known < near || known-addr < near
}
