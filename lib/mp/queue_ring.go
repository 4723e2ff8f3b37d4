package mp

import (
	"encoding/binary"
	"unsafe"
)

// block returns the memory from a place in the ring to the end of its block.
func (q *sharedQueue) block(at uint64) []byte {
	n := uint64(q.c.u32(queueMap + 4*int(at/blockSize%ringBlocks)).Load())
	from := queueData + n*blockSize
	return q.c.mem[from+at%blockSize : from+blockSize]
}

// write copies into the ring, and gives it blocks where it has none. The
// writer has its lock.
func (q *sharedQueue) write(at uint64, b []byte) {
	for len(b) > 0 {
		if n := at / blockSize; q.c.u64(queueMapped).Load() == n {
			q.c.u32(queueMap + 4*int(n%ringBlocks)).Store(q.newBlock())
			q.c.u64(queueMapped).Store(n + 1)
		}
		n := copy(q.block(at), b)
		at, b = at+uint64(n), b[n:]
	}
}

// newBlock takes a block that was handed back, or else one never used.
func (q *sharedQueue) newBlock() uint32 {
	reused := q.c.u64(queueReused)
	if n := reused.Load(); n < q.c.u64(queueFreed).Load() {
		block := q.c.u32(queueFree + 4*int(n%ringBlocks)).Load()
		reused.Store(n + 1)
		return block
	}
	return uint32(q.c.u64(queueBlocks).Add(1) - 1)
}

func (q *sharedQueue) read(at uint64, b []byte) {
	for len(b) > 0 {
		n := copy(b, q.block(at))
		at, b = at+uint64(n), b[n:]
	}
}

// parts returns the n bytes at a place in the ring, which are not more than a
// block in a row.
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

// readBulk reads an encoded slice of n bytes, into the memory of the slice at p
// if that is large enough.
func (q *sharedQueue) readBulk(at, n uint64, p unsafe.Pointer) error {
	var head [binary.MaxVarintLen64]byte
	q.read(at, head[:min(n, uint64(len(head)))])
	count, k := binary.Uvarint(head[:])
	switch {
	case k <= 0 || count > 0 && n-uint64(k) != (count-1)*uint64(q.codec.elem.size):
		return errMalformed
	case count == 0:
		*(*[]byte)(p) = nil
		return nil
	}
	at, n = at+uint64(k), n-uint64(k)
	switch s := (*[]byte)(p); { // its header; the length counts elements
	case n > 0 && cap(*s) >= int(count-1):
		*s = (*s)[:count-1]
	case n >= largeBulk:
		q.codec.setBulk(p, int(count-1), bulkOf(uintptr(n), q.parts(at, n)...))
		return nil
	default:
		q.codec.makeBulk(p, int(count-1))
	}
	q.read(at, q.codec.bulk(p))
	return nil
}

// free hands back the blocks that lie before head and not before old. The
// reader has its lock, and has moved the head.
func (q *sharedQueue) free(old, head uint64) {
	freed := q.c.u64(queueFreed)
	for n := old / blockSize; n < head/blockSize; n++ {
		block := q.c.u32(queueMap + 4*int(n%ringBlocks)).Load()
		if block >= warmBlocks && q.c.seg != nil {
			from := queueData + int(block)*blockSize
			q.c.seg.discard(from, from+blockSize)
		}
		k := freed.Load()
		q.c.u32(queueFree + 4*int(k%ringBlocks)).Store(block)
		freed.Store(k + 1)
	}
}
