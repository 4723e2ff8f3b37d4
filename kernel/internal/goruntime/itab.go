package goruntime

import (
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// An Itab mirrors internal/abi.ITab.
type Itab struct {
	Inter, Typ uintptr
	Hash       uint32
	Fun        [1]uintptr
}

const ItabHeaderSize = 24 // byte offset of Fun

// FindItab returns the interface table for an interface type and a type from the runtime's table, or nil. The
// runtime's table is a hash set with open addressing. The runtime replaces the table when it grows.
func (h *Runtime) FindItab(inter, typ uintptr) *Itab {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	entries := uintptr(t) + 16
	mask := size - 1
	i := uintptr(TypeHash(inter)^TypeHash(typ)) & mask
	for step := uintptr(1); ; step++ {
		p := atomic.LoadUintptr((*uintptr)(platform.Pointer(entries + i*8)))
		if p == 0 {
			return nil
		}
		if m := (*Itab)(platform.Pointer(p)); m.Inter == inter && m.Typ == typ {
			return m
		}
		i = (i + step) & mask
	}
}

// EachItab calls f with every interface table in the runtime's table.
func (h *Runtime) EachItab(f func(*Itab)) {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	for i := range size {
		if p := atomic.LoadUintptr((*uintptr)(platform.Pointer(uintptr(t) + 16 + i*8))); p != 0 {
			f((*Itab)(platform.Pointer(p)))
		}
	}
}

// ItabCount returns the number of interface tables in the runtime's table.
func (h *Runtime) ItabCount() uintptr {
	return platform.Read[uintptr](atomic.LoadUintptr(h.itabTable) + 8)
}

// ReplaceItab replaces an interface table in the runtime's table by another one of the same types.
func (h *Runtime) ReplaceItab(old, now *Itab) {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	for i := range size {
		if p := (*uintptr)(platform.Pointer(uintptr(t) + 16 + i*8)); atomic.LoadUintptr(p) == AddressOf(old) {
			atomic.StoreUintptr(p, AddressOf(now))
		}
	}
}

// AddressOf returns the address of an interface table.
func AddressOf(m *Itab) uintptr { return uintptr(unsafe.Pointer(m)) }

// Offsets into internal/abi.InterfaceType.
const (
	InterfacePkgOff     = 48
	InterfaceMethodsOff = 56
	InterfaceMethodSize = 8
)

// InterfaceMethods returns the number of methods of the interface type whose descriptor is at inter.
func InterfaceMethods(inter uintptr) int { return platform.Read[int](inter + InterfaceMethodsOff + 8) }
