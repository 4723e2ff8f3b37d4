package moduledata

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// An Arena is a reserved range of addresses that is given out from the front
// and never taken back: code and data of older cells stay valid, because
// goroutines and closures may still use them.
type Arena struct {
	name        string
	Base, Size  uintptr
	WriteOffset uintptr // from an address to its writable alias
	Used        uintptr
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

// Alloc returns the address of n fresh zero bytes.
func (a *Arena) Alloc(n, align uintptr) (uintptr, error) {
	p := (a.Base + a.Used + align - 1) &^ (align - 1)
	if p+n > a.Base+a.Size || p+n < p {
		return 0, fmt.Errorf("the notebook's %s area (%d MB) is full: restart the kernel", a.name, a.Size>>20)
	}
	a.Used = p + n - a.Base
	return p, nil
}

func (a *Arena) Contains(p uintptr) bool { return p >= a.Base && p < a.Base+a.Size }

// Bytes returns n bytes at p for writing.
func (a *Arena) Bytes(p uintptr, n int) []byte { return platform.Bytes(p+a.WriteOffset, n) }
