package link

import (
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// An itab mirrors internal/abi.ITab.
type itab struct {
	inter, typ uintptr
	hash       uint32
	fun        [1]uintptr
}

const itabFixed = 24 // bytes before fun

// findItab looks an interface table up as the runtime does: the table is an
// open-addressed hash set that is replaced when it grows.
func (h *Runtime) findItab(inter, typ uintptr) *itab {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	entries := uintptr(t) + 16
	mask := size - 1
	i := uintptr(typeHash(inter)^typeHash(typ)) & mask
	for step := uintptr(1); ; step++ {
		p := atomic.LoadUintptr((*uintptr)(platform.Pointer(entries + i*8)))
		if p == 0 {
			return nil
		}
		if m := (*itab)(platform.Pointer(p)); m.inter == inter && m.typ == typ {
			return m
		}
		i = (i + step) & mask
	}
}

// eachItab calls f with every interface table the runtime knows.
func (h *Runtime) eachItab(f func(*itab)) {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	for i := range size {
		if p := atomic.LoadUintptr((*uintptr)(platform.Pointer(uintptr(t) + 16 + i*8))); p != 0 {
			f((*itab)(platform.Pointer(p)))
		}
	}
}

// itabCount is how many interface tables the runtime knows.
func (h *Runtime) itabCount() uintptr {
	return platform.Read[uintptr](atomic.LoadUintptr(h.itabTable) + 8)
}

// replaceItab puts one interface table in the place of another of the same types.
func (h *Runtime) replaceItab(old, now *itab) {
	t := platform.Pointer(atomic.LoadUintptr(h.itabTable))
	size := *(*uintptr)(t)
	for i := range size {
		if p := (*uintptr)(platform.Pointer(uintptr(t) + 16 + i*8)); atomic.LoadUintptr(p) == addressOf(old) {
			atomic.StoreUintptr(p, addressOf(now))
		}
	}
}

func addressOf(m *itab) uintptr { return uintptr(unsafe.Pointer(m)) }

// Offsets into internal/abi.InterfaceType.
const (
	interfacePkgOff     = 48
	interfaceMethodsOff = 56
	interfaceMethodSize = 8
)

func interfaceMethods(inter uintptr) int { return platform.Read[int](inter + interfaceMethodsOff + 8) }
