package queue

import (
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// The blocks of a queue lie in windows, which each process maps when it needs
// them: an idle queue takes few addresses.
const (
	windowSize   = shm.WindowSize
	windowBlocks = windowSize / blockSize
	firstWindow  = queueData + windowSize // what is mapped from the beginning
)

// mappedWindows are the mapped windows but the first, by number.
type mappedWindows struct {
	mu  sync.Mutex // for changes
	all atomic.Pointer[[][]byte]
}

// get returns window n, or nil.
func (w *mappedWindows) get(n int) []byte {
	if all := w.all.Load(); all != nil && n < len(*all) {
		return (*all)[n]
	}
	return nil
}

// mapped maps the window of a block, unless it is.
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

// memory returns the memory of a block, whose window is mapped.
func (q *sharedQueue) memory(block uint32) []byte {
	if n := int(block / windowBlocks); n > 0 {
		from := int(block%windowBlocks) * blockSize
		return q.windows.get(n)[from : from+blockSize]
	}
	return q.o.Bytes(queueData+int(block)*blockSize, blockSize)
}

// blockAt returns where the number of the block of a place in the ring is.
func (q *sharedQueue) blockAt(at uint64) *atomic.Uint32 {
	return q.o.U32(queueMap + 4*int(at/blockSize%q.ring))
}

// extend sees to it that the ring has memory up to a place. The caller has the
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

// reach maps what n bytes at a place lie in.
func (q *sharedQueue) reach(at, n uint64) error {
	for end := at + n; at < end; at = (at/blockSize + 1) * blockSize {
		if err := q.mapped(q.blockAt(at).Load()); err != nil {
			return err
		}
	}
	return nil
}

// newBlock takes a block that was handed back, or else one never used.
func (q *sharedQueue) newBlock() uint32 {
	reused := q.o.U64(queueReused)
	if n := reused.Load(); n < q.o.U64(queueFreed).Load() {
		block := q.o.U32(queueFree + 4*int(n%q.ring)).Load()
		reused.Store(n + 1)
		return block
	}
	return uint32(q.o.U64(queueBlocks).Add(1) - 1)
}

// free hands back the blocks that lie before head and not before old. The
// reader has its lock, and has moved the head.
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

// A nearBlock is a block that a process uses again and again, with the place in the
// ring that it is at: no place comes twice.
type nearBlock struct {
	at  uint64 // of its beginning
	mem []byte // nil before there is one
}

// near returns the block of a place, which is mapped.
func (q *sharedQueue) near(at uint64) nearBlock {
	return nearBlock{at: at / blockSize * blockSize, mem: q.memory(q.blockAt(at).Load())}
}

// bytes returns n bytes at a place if all of them lie in the block, or nil.
func (b *nearBlock) bytes(at, n uint64) []byte {
	if from := at - b.at; from < uint64(len(b.mem)) && n <= uint64(len(b.mem))-from {
		return b.mem[from : from+n : from+n]
	}
	return nil
}
