package moduledata

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// An Arena is a reserved range of addresses that is given out from the front
// and never taken back: code and data of older cells stay valid, because
// goroutines and closures may still use them.
type Arena struct {
	name        string
	Base, size  uintptr
	WriteOffset uintptr // from an address to its writable alias
	Used        uintptr
}

// A layout places the arenas: below 2 GB and above the image, so that code
// reaches them and the image by 32-bit offsets. It is the same in every process
// of an image, since children must find functions at the same addresses. Sizes
// bound address space, not memory.
type layout struct {
	base                  uintptr
	text, ro, data, noptr uintptr // sizes
}

func layoutFor(h *goruntime.Runtime) layout {
	if h.Cgo {
		return cLayout()
	}
	return plainLayout()
}

func plainLayout() layout {
	return layout{base: 0x10000000, text: 256 << 20, ro: 256 << 20, data: 512 << 20, noptr: 512 << 20}
}

// cLayout leaves room for the heap of the C library: Linux puts its beginning
// at a random place up to 1 GB above the image.
func cLayout() layout {
	return layout{base: 0x48000000, text: 128 << 20, ro: 128 << 20, data: 320 << 20, noptr: 320 << 20}
}

func newArena(name string, base, size uintptr, prot platform.Prot) (*Arena, error) {
	a := &Arena{name: name, Base: base, size: size}
	if prot == 0 {
		_, err := platform.Reserve(base, int(size))
		return a, err
	}
	alias, err := platform.DualMap(base, int(size), prot)
	a.WriteOffset = alias - base
	return a, err
}

// Alloc returns the address of n fresh zero bytes.
func (a *Arena) Alloc(n, align uintptr) (uintptr, error) {
	p := (a.Base + a.Used + align - 1) &^ (align - 1)
	if p+n > a.Base+a.size || p+n < p {
		return 0, fmt.Errorf("the notebook's %s area (%d MB) is full: restart the kernel", a.name, a.size>>20)
	}
	a.Used = p + n - a.Base
	return p, nil
}

func (a *Arena) Contains(p uintptr) bool { return p >= a.Base && p < a.Base+a.size }

// Bytes returns n bytes at p for writing.
func (a *Arena) Bytes(p uintptr, n int) []byte { return platform.Bytes(p+a.WriteOffset, n) }
