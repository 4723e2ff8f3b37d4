package link

import (
	"fmt"

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

// The arenas lie below 2 GB, above the image, so that code reaches them and
// the image by 32-bit offsets. Sizes bound address space, not memory.
const (
	arenaBase  = 0x10000000
	textSize   = 256 << 20
	roSize     = 256 << 20
	dataSize   = 512 << 20
	noptrSize  = 512 << 20
	arenaLimit = arenaBase + textSize + roSize + dataSize + noptrSize
)

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
