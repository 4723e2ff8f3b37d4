package moduledata

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// An Arena is a reserved range of addresses. Alloc allocates memory in ascending order of addresses. No memory is
// freed, since goroutines and closures may still use the code and data of older cells.
type Arena struct {
	name        string
	Base, Size  uintptr
	WriteOffset uintptr // distance from an address to its writable alias
	Used        uintptr // allocated bytes
}

func newArena(name string, base, size uintptr, prot platform.Prot) (*Arena, error) {
	a := &Arena{name: name, Base: base, Size: size}
	if prot == 0 {
		_, err := platform.Reserve(base, int(size))
		return a, err
	}
	alias, err := platform.DualMap(base, int(size), prot)
	a.WriteOffset = alias - base
	return a, err
}

// Alloc allocates n zero bytes and returns their address, a multiple of align.
func (a *Arena) Alloc(n, align uintptr) (uintptr, error) {
	p := (a.Base + a.Used + align - 1) &^ (align - 1)
	if p+n > a.Base+a.Size || p+n < p {
		return 0, fmt.Errorf("the %s area of the memory for cells (%d MB) is full: restart the kernel", a.name, a.Size>>20)
	}
	a.Used = p + n - a.Base
	return p, nil
}

func (a *Arena) Contains(p uintptr) bool { return p >= a.Base && p < a.Base+a.Size }

// Bytes returns the n bytes at address p as a writable slice.
func (a *Arena) Bytes(p uintptr, n int) []byte { return platform.Bytes(p+a.WriteOffset, n) }
