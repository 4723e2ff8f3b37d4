package queue

import (
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// The blocks of a queue lie in windows. A process maps a window when it needs it, so an
// idle queue takes little address space.
const (
	windowSize   = shm.WindowSize
	windowBlocks = windowSize / blockSize
	firstWindow  = queueData + windowSize // size of the object with its first window, which is always mapped
)

// mappedWindows has the mapped windows except the first, by number.
type mappedWindows struct {
	mu  sync.Mutex // held to change all
	all atomic.Pointer[[][]byte]
}

// get returns window n, or nil if it is not mapped.
func (w *mappedWindows) get(n int) []byte {
	if all := w.all.Load(); all != nil && n < len(*all) {
		return (*all)[n]
	}
	return nil
}

// mapped maps the window of a block, unless it is mapped already.
func (q *sharedQueue) mapped(block uint32) error {
	n := int(block / windowBlocks)
	if n == 0 || q.windows.get(n) != nil {
		return nil
	}
	w := &q.windows
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.get(n) != nil {
		return nil
	}
	mem, err := q.o.Window(queueData+n*windowSize, queueData+(n+1)*windowSize)
	if err != nil {
		return err
	}
	var all [][]byte
	if old := w.all.Load(); old != nil {
		all = *old
	}
	all = append([][]byte(nil), all...)
	for len(all) <= n {
		all = append(all, nil)
	}
	all[n] = mem
	w.all.Store(&all)
	return nil
}

// memory returns the memory of a block. The block's window must be mapped.
func (q *sharedQueue) memory(block uint32) []byte {
	if n := int(block / windowBlocks); n > 0 {
		from := int(block%windowBlocks) * blockSize
		return q.windows.get(n)[from : from+blockSize]
	}
	return q.o.Bytes(queueData+int(block)*blockSize, blockSize)
}

// blockAt returns the word that has the number of the block for position at of the
// ring.
func (q *sharedQueue) blockAt(at uint64) *atomic.Uint32 {
	return q.o.U32(queueMap + 4*int(at/blockSize%q.ring))
}

// extend gives the ring memory up to position to, and maps it. The caller has the
// writers' lock.
func (q *sharedQueue) extend(to uint64) error {
	mapped := q.o.U64(queueMapped)
	at := q.o.U64(queueTail).Load()
	for n := mapped.Load(); n*blockSize < to; n = mapped.Load() {
		block := q.newBlock()
		if err := q.mapped(block); err != nil {
			return err
		}
		q.blockAt(n * blockSize).Store(block)
		mapped.Store(n + 1)
	}
	return q.reach(at, to-at)
}

// reach maps the windows of the n bytes at position at.
func (q *sharedQueue) reach(at, n uint64) error {
	for end := at + n; at < end; at = (at/blockSize + 1) * blockSize {
		if err := q.mapped(q.blockAt(at).Load()); err != nil {
			return err
		}
	}
	return nil
}

// newBlock returns a block that was handed back, or else one that was never used.
func (q *sharedQueue) newBlock() uint32 {
	reused := q.o.U64(queueReused)
	if n := reused.Load(); n < q.o.U64(queueFreed).Load() {
		block := q.o.U32(queueFree + 4*int(n%q.ring)).Load()
		reused.Store(n + 1)
		return block
	}
	return uint32(q.o.U64(queueBlocks).Add(1) - 1)
}

// free hands back the blocks from position old to before head. The caller has the
// readers' lock, and has moved the head.
func (q *sharedQueue) free(old, head uint64) {
	freed := q.o.U64(queueFreed)
	for n := old / blockSize; n < head/blockSize; n++ {
		block := q.blockAt(n * blockSize).Load()
		if block >= warmBlocks {
			from := queueData + int(block)*blockSize
			q.o.Discard(from, from+blockSize)
		}
		k := freed.Load()
		q.o.U32(queueFree + 4*int(k%q.ring)).Store(block)
		freed.Store(k + 1)
	}
}

// A nearBlock caches the block that a process used last, with its position. Positions
// only grow, so the cache cannot be stale.
type nearBlock struct {
	at  uint64 // position of its first byte
	mem []byte // nil if no block is cached
}

// near returns the block of position at, which must be mapped.
func (q *sharedQueue) near(at uint64) nearBlock {
	return nearBlock{at: at / blockSize * blockSize, mem: q.memory(q.blockAt(at).Load())}
}

// bytes returns the n bytes at position at, or nil if not all are in the block.
func (b *nearBlock) bytes(at, n uint64) []byte {
	if from := at - b.at; from < uint64(len(b.mem)) && n <= uint64(len(b.mem))-from {
		return b.mem[from : from+n : from+n]
	}
	return nil
}
