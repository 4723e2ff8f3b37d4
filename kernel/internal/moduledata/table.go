package moduledata

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// A table is an append-only list of bytes that the runtime reads through a
// slice in the module data. The slice has its full length from the start. The
// bytes that are not appended yet are zero, and nothing refers to them.
type table struct {
	name string
	buf  []byte
	n    int
}

func newTable(name string, size int) (*table, error) {
	p, err := platform.Reserve(0, size)
	if err != nil {
		return nil, err
	}
	return &table{name: name, buf: platform.Bytes(p, size)}, nil
}

// Grow appends n bytes to the table and returns their offset, a multiple of align.
func (t *table) Grow(n, align int) (int, error) {
	off := (t.n + align - 1) &^ (align - 1)
	if off+n > len(t.buf) {
		return 0, fmt.Errorf("the %s table of the memory for cells (%d MB) is full: restart the kernel", t.name, len(t.buf)>>20)
	}
	t.n = off + n
	return off, nil
}

// Append appends b to the table and returns the offset of b.
func (t *table) Append(b []byte) (int, error) {
	off, err := t.Grow(len(b), 1)
	if err == nil {
		copy(t.buf[off:], b)
	}
	return off, err
}

func (t *table) PutUint32(off int, v uint32) { binary.LittleEndian.PutUint32(t.buf[off:], v) }

// StoreUint32 changes a value in the table atomically, since the runtime may be reading it.
func (t *table) StoreUint32(off int, v uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&t.buf[off])), v)
}

func (t *table) Uint32(off int) uint32 { return binary.LittleEndian.Uint32(t.buf[off:]) }
