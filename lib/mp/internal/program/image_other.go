//go:build !linux

package program

import "unsafe"

// InImage reports whether addr is near a func value that is known to be in
// the binary. Go's heap is far from it on these systems.
func InImage(addr uintptr) bool {
	const near = 1 << 29
	known := *(*uintptr)(unsafe.Pointer(&fixedPoint))
	return addr-known < near || known-addr < near
}
