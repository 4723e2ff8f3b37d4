// Package program inspects the running binary: its memory, and the names of its functions.
package program

import (
	"sync/atomic"
	"unsafe"
)

// A Range is the range of addresses from Start up to, but not including, End.
type Range struct{ Start, End uintptr }

func (r Range) Contains(addr uintptr) bool { return r.Start <= addr && addr < r.End }

const WordSize = unsafe.Sizeof(uintptr(0))

func PointerTo(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// WordAt returns the word at addr, which may be in a variable that other goroutines change.
//
//go:norace
//go:noinline
//go:nocheckptr
func WordAt(addr uintptr) uintptr { return *(*uintptr)(PointerTo(addr)) }

// IsConstant reports whether addr is in the binary or in constants that the mphost.Host has
// loaded, so that the memory there can be read.
func IsConstant(addr uintptr) bool {
	if InSegment(addr) {
		return true
	}
	constants, _ := Loaded()
	return constants.Contains(addr)
}

// IsVariable reports whether addr is in the writable data of the binary, or in
// variables that the mphost.Host has loaded.
func IsVariable(addr uintptr) bool {
	if inData(addr) {
		return true
	}
	_, variables := Loaded()
	return variables.Contains(addr)
}

// loadedRanges returns the address ranges of constants and variables that were loaded
// after the program started; nil means that there are none.
var loadedRanges atomic.Pointer[func() (constants, variables Range)]

// SetLoaded sets the function that returns the ranges of constants and variables that
// are loaded outside the binary. f is called each time that they are needed. SetLoaded
// may be called again.
func SetLoaded(f func() (constants, variables Range)) { loadedRanges.Store(&f) }

func Loaded() (constants, variables Range) {
	if f := loadedRanges.Load(); f != nil {
		return (*f)()
	}
	return Range{}, Range{}
}

// MaxScan is the largest number of bytes of a Range that a search reads.
const MaxScan = 64 << 20
