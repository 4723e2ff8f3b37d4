package queue

import (
	"encoding/binary"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// block returns the memory from position at to the end of its block.
func (q *sharedQueue) block(at uint64) []byte {
	return q.memory(q.blockAt(at).Load())[at%blockSize:]
}

// write copies b into the ring, which must have memory at position at. The caller has
// the writers' lock.
func (q *sharedQueue) write(at uint64, b []byte) {
	for len(b) > 0 {
		n := copy(q.block(at), b)
		at, b = at+uint64(n), b[n:]
	}
}

func (q *sharedQueue) read(at uint64, b []byte) {
	for len(b) > 0 {
		n := copy(b, q.block(at))
		at, b = at+uint64(n), b[n:]
	}
}

// parts returns the n bytes at position at, as one slice for each block.
func (q *sharedQueue) parts(at, n uint64) [][]byte {
	var parts [][]byte
	for n > 0 {
		b := q.block(at)
		b = b[:min(n, uint64(len(b)))]
		parts = append(parts, b)
		at, n = at+uint64(len(b)), n-uint64(len(b))
	}
	return parts
}

// readBulk reads an encoded slice of n bytes to p. It reuses the memory of the slice at
// p if that is large enough.
func (q *sharedQueue) readBulk(at, n uint64, p unsafe.Pointer) error {
	var head [binary.MaxVarintLen64]byte
	q.read(at, head[:min(n, uint64(len(head)))])
	count, k := binary.Uvarint(head[:])
	switch {
	case k <= 0 || count > 0 && n-uint64(k) != (count-1)*uint64(q.codec.Elem.Size):
		return failure.ErrMalformed
	case count == 0:
		*(*[]byte)(p) = nil
		return nil
	}
	at, n = at+uint64(k), n-uint64(k)
	switch s := (*[]byte)(p); { // its header; the length counts elements
	case n > 0 && cap(*s) >= int(count-1):
		*s = (*s)[:count-1]
	case n >= codec.LargeBulk:
		q.codec.SetBulk(p, int(count-1), codec.NewBulk(uintptr(n), q.parts(at, n)...))
		return nil
	default:
		q.codec.MakeBulk(p, int(count-1))
	}
	q.read(at, q.codec.Bulk(p))
	return nil
}
