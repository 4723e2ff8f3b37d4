package link

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// An arena is a reserved range of addresses that is given out from the front
// and never taken back: code and data of older cells stay valid, because
// goroutines and closures may still use them.
type arena struct {
	name       string
	base, size uintptr
	delta      uintptr // from an address to its writable alias
	used       uintptr
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

func newArena(name string, base, size uintptr, prot platform.Prot) (*arena, error) {
	a := &arena{name: name, base: base, size: size}
	if prot == 0 {
		_, err := platform.Reserve(base, int(size))
		return a, err
	}
	alias, err := platform.DualMap(base, int(size), prot)
	a.delta = alias - base
	return a, err
}

// alloc returns the address of n fresh zero bytes.
func (a *arena) alloc(n, align uintptr) (uintptr, error) {
	p := (a.base + a.used + align - 1) &^ (align - 1)
	if p+n > a.base+a.size || p+n < p {
		return 0, fmt.Errorf("the notebook's %s area (%d MB) is full: restart the kernel", a.name, a.size>>20)
	}
	a.used = p + n - a.base
	return p, nil
}

func (a *arena) contains(p uintptr) bool { return p >= a.base && p < a.base+a.size }

// bytes returns n bytes at p for writing.
func (a *arena) bytes(p uintptr, n int) []byte { return platform.Bytes(p+a.delta, n) }
