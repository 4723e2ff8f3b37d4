package link

import (
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// An initVar is a package's variable with what it holds before the package is initialized.
type initVar struct {
	addr, size uintptr
	pointers   bool
	data       []byte // the rest is zero
}

// restore gives a variable back what it held first. The collector may be at work: it learns of every pointer that goes.
func (m *module) restore(v initVar) {
	now := platform.Bytes(v.addr, int(v.size))
	if !v.pointers {
		n := copy(now, v.data)
		clear(now[n:])
		return
	}
	first := make([]byte, v.size)
	copy(first, v.data)
	off := uintptr(0)
	for ; off+8 <= v.size; off += 8 {
		was, is := *(*uintptr)(unsafe.Pointer(&first[off])), platform.Read[uintptr](v.addr+off)
		switch {
		case was == is:
		case m.isPointer(v.addr + off):
			*(*unsafe.Pointer)(platform.Pointer(v.addr + off)) = platform.Pointer(was)
		default:
			*(*uintptr)(platform.Pointer(v.addr + off)) = was
		}
	}
	copy(now[off:], first[off:])
}
