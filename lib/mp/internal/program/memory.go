// Package program knows the running binary: its memory, and the names of its functions.
package program

import (
	"sync/atomic"
	"unsafe"
)

// A Range is a range of addresses, the end excluded.
type Range struct{ Start, End uintptr }

func (r Range) Contains(addr uintptr) bool { return r.Start <= addr && addr < r.End }

const WordSize = unsafe.Sizeof(uintptr(0))

func PointerTo(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// WordAt reads a variable of the program, which may be about to change.
//
//go:norace
//go:noinline
//go:nocheckptr
func WordAt(addr uintptr) uintptr { return *(*uintptr)(PointerTo(addr)) }

// IsConstant reports whether addr can be read, since it is in the binary or
// among what the Host has loaded.
func IsConstant(addr uintptr) bool {
	if InSegment(addr) {
		return true
	}
	constants, _ := Loaded()
	return constants.Contains(addr)
}

// IsVariable reports whether addr is in the writable data of the binary, or of
// what the Host has loaded.
func IsVariable(addr uintptr) bool {
	if inData(addr) {
		return true
	}
	_, variables := Loaded()
	return variables.Contains(addr)
}

// loadedRanges returns the addresses of constants and variables that were loaded
// after the start of the program; nil means that there are none.
var loadedRanges atomic.Pointer[func() (constants, variables Range)]

// SetLoaded tells where the constants and variables lie that are loaded beside
// the binary. It may be called again, and f is called for each question.
func SetLoaded(f func() (constants, variables Range)) { loadedRanges.Store(&f) }

func Loaded() (constants, variables Range) {
	if f := loadedRanges.Load(); f != nil {
		return (*f)()
	}
	return Range{}, Range{}
}

// MaxScan bounds how much of a range is searched, in bytes.
const MaxScan = 64 << 20
