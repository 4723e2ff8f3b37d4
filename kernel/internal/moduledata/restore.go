package moduledata

import (
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// A SavedVariable is a variable of a package, with the content that it has before the package is initialized.
type SavedVariable struct {
	Addr, Size uintptr
	Pointers   bool
	Data       []byte // the beginning of the content; the rest is zero
}

// Restore gives a variable its saved content. Since the garbage collector may be running, Restore changes pointers
// with write barriers.
func (m *Module) Restore(v SavedVariable) {
	now := platform.Bytes(v.Addr, int(v.Size))
	if !v.Pointers {
		n := copy(now, v.Data)
		clear(now[n:])
		return
	}
	first := make([]byte, v.Size)
	copy(first, v.Data)
	off := uintptr(0)
	for ; off+8 <= v.Size; off += 8 {
		was, is := *(*uintptr)(unsafe.Pointer(&first[off])), platform.Read[uintptr](v.Addr+off)
		switch {
		case was == is:
		case m.isPointer(v.Addr + off):
			*(*unsafe.Pointer)(platform.Pointer(v.Addr + off)) = platform.Pointer(was)
		default:
			*(*uintptr)(platform.Pointer(v.Addr + off)) = was
		}
	}
	copy(now[off:], first[off:])
}
