package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A sharedQueue is a queue for processes: a ring in shared memory, in which each value
// follows its length. Writers and readers have separate locks. To put a value, a writer
// copies it and then moves the tail; to take one, a reader copies it and then moves the
// head. If a reader is killed before it moves the head, the next reader takes the
// value.
//
// Words that writers change and words that readers change are in different cache lines.
// Each side caches what it last read of the other, and reads again only when that is
// not enough.
//
// The ring consists of blocks. Readers hand back blocks that they have emptied, and
// writers use those first. So a queue takes only the memory of the values that it holds
// at one time, and that memory stays in the caches. A process that is killed while it
// holds a block loses only that block.
//
// The type is not generic, because each cell or package that has a Queue would compile
// it again.
type sharedQueue struct {
	o     *shm.Object
	codec *codec.Codec
	limit uint64 // largest number of values; 0 if there is no limit
	ring  uint64 // number of blocks in the ring
	// orphaned reports whether the process at the other end of a pipe is dead. It is
	// nil for a Queue, whose waits end with ErrPeerDied.
	orphaned func() bool

	windows  mappedWindows
	putBlock nearBlock // the block of this process's last put; guarded by the writers' lock
	getBlock nearBlock // the block of its last take; guarded by the readers' lock
	buffers  sync.Pool // *[]byte, for encoded values
	spins    atomic.Int32
	lastPut  atomic.Uint32 // 1 + Losses of the object at this process's last put; 0 before the first
	lastTake atomic.Uint32
}

func newSharedQueue(t reflect.Type, size int, counted bool) (*sharedQueue, error) {
	return newSharedRing(t, size, counted, ringBlocks)
}

func newSharedRing(t reflect.Type, size int, counted bool, blocks int) (*sharedQueue, error) {
	c, err := codec.Of(t)
	if err != nil {
		return nil, err
	}
	o, err := shm.NewLarge(firstWindow)
	if err != nil {
		return nil, err
	}
	o.U64(queueLimit).Store(uint64(size))
	o.U32(queueCounted).Store(uint32(codec.Bit(counted)))
	o.U64(queueRing).Store(uint64(blocks))
	if c.Fixed {
		o.U64(queueRecord).Store(lengthSize + uint64(c.Size))
	}
	return attachQueue(o, c), nil
}

func openSharedQueue(t reflect.Type, b []byte) (*sharedQueue, error) {
	c, err := codec.Of(t)
	if err != nil {
		return nil, err
	}
	o, err := shm.Open(b, firstWindow)
	if err != nil {
		return nil, failure.Wrap("cannot open a Queue", err)
	}
	if o.Size() < firstWindow || o.U64(queueRing).Load()-3 > ringBlocks-3 {
		return nil, failure.ErrMalformed
	}
	return attachQueue(o, c), nil
}

func attachQueue(o *shm.Object, c *codec.Codec) *sharedQueue {
	q := &sharedQueue{o: o, codec: c, limit: o.U64(queueLimit).Load(), ring: o.U64(queueRing).Load()}
	if q.isCounted() {
		o.OnDeath(func(i int, dead shm.Owner) bool { return removeTaker(o, i, dead) })
	}
	return q
}

// bytes returns how many bytes the ring holds. That is two blocks less than the ring has,
// since the first and the last block may be used in part.
func (q *sharedQueue) bytes() uint64 { return (q.ring - 2) * blockSize }

func (q *sharedQueue) isCounted() bool { return q.o.U32(queueCounted).Load() == 1 }

func (q *sharedQueue) Handle() ([]byte, error) { return object.Encode(q.o, "Queue") }

func (q *sharedQueue) Length() int {
	defer runtime.KeepAlive(q)
	put := putCount(q.o) // read first, so that the length never exceeds the limit
	return max(0, int(int64(put-takenCount(q.o))))
}

// Close closes the queue. It holds the writers' lock, so a Put that has found the queue
// open has put its value before readers see the end.
func (q *sharedQueue) Close() {
	defer runtime.KeepAlive(q)
	m := shm.Mutex{O: q.o, At: queuePutLock}
	if m.Lock(context.Background()) != nil {
		return // cannot happen: only the queue is closed, not the object
	}
	mendPut(q.o)
	q.o.U32(queueClosed).Store(1)
	m.Unlock()
	q.wakeAll()
}

// wakeAll wakes all sleeping readers and writers.
func (q *sharedQueue) wakeAll() {
	for _, bell := range []int{queueArrived, queueLeft, queueEased} {
		q.o.U32(bell).Store(1)
		q.o.Wake(bell, shm.All)
	}
}

func (q *sharedQueue) isClosed() bool { return q.o.U32(queueClosed).Load() == 1 }

const lengthSize = 4

// Put adds the value at p, which is of the codec's type.
func (q *sharedQueue) Put(ctx context.Context, p unsafe.Pointer, wait bool) error {
	defer runtime.KeepAlive(q)
	if q.codec.Fixed {
		return q.putFixed(ctx, p, wait)
	}
	kept := q.buffer()
	defer q.keep(kept)
	w := codec.Writer{B: append((*kept)[:0], 0, 0, 0, 0)}
	var bulk []byte // copied into the ring directly
	if q.codec.Elem != nil {
		bulk = q.codec.Bulk(p)
		w.PutLen(len(*(*[]byte)(p)), *(*[]byte)(p) == nil)
	} else {
		q.codec.Encode(&w, p)
	}
	*kept = w.B
	if w.Err != nil {
		return w.ValueErr(q.codec)
	}
	size := len(w.B) - lengthSize + len(bulk)
	if most := min(maxQueued, int(q.bytes()/2)); size > most {
		return fmt.Errorf("mp: cannot put a value of %d bytes into a queue, which takes values of up to %d bytes: share large data through an mp.Array: %w", size, most, failure.Unprefixed(failure.ErrTooLarge))
	}
	binary.LittleEndian.PutUint32(w.B, uint32(size))
	return q.append(ctx, w.B, bulk, wait)
}

// putFixed is Put for values whose encoding is their memory.
func (q *sharedQueue) putFixed(ctx context.Context, p unsafe.Pointer, wait bool) error {
	n := int(q.codec.Size)
	if n > maxQueued {
		return fmt.Errorf("mp: cannot put a value of %d bytes into a queue, which takes values of up to %d bytes: share large data through an mp.Array: %w", n, maxQueued, failure.Unprefixed(failure.ErrTooLarge))
	}
	var length [lengthSize]byte
	binary.LittleEndian.PutUint32(length[:], uint32(n))
	return q.append(ctx, length[:], unsafe.Slice((*byte)(p), n), wait)
}

// buffer returns a buffer for an encoded value, and keep stores it for reuse.
func (q *sharedQueue) buffer() *[]byte {
	if b, ok := q.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

func (q *sharedQueue) keep(b *[]byte) {
	if protocol.Kept(*b) != nil {
		q.buffers.Put(b)
	}
}

var errAhead = errors.New("the queue's writer is far ahead of the readers and must pause")

// append adds an encoded value, b followed by bulk, and waits for room. A writer that
// is far ahead of the readers also pauses, so that memory is reused while it is in the
// caches.
func (q *sharedQueue) append(ctx context.Context, b, bulk []byte, wait bool) error {
	err := q.tryAppend(ctx, b, bulk, wait)
	if err == nil || !wait || err != failure.ErrFull && err != errAhead {
		return err
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	call, size := q.call(&q.lastTake), uint64(len(b)+len(bulk))
	for err == failure.ErrFull || err == errAhead {
		if err == errAhead {
			if err := q.pause(ctx); err != nil {
				return err
			}
		} else if err := call.sleep(ctx, queueLeft, queueWriters, func() bool {
			return q.isClosed() || q.hasRoom(size)
		}); err != nil {
			return err
		}
		err = q.tryAppend(ctx, b, bulk, false)
	}
	return err
}

// pause waits until readers have caught up, or for the time pace.
func (q *sharedQueue) pause(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, pace)
	defer cancel()
	q.o.U32(queueHasty).Add(1)
	defer q.o.U32(queueHasty).Add(^uint32(0))
	q.o.U32(queueEased).Store(0)
	_ = q.o.Wait(short, queueEased, 0, shm.Watch{})
	return context.Cause(ctx)
}

// tryAppend adds an encoded value if there is room. Else its error is ErrFull, or, if
// paced, errAhead when the writer should pause first.
func (q *sharedQueue) tryAppend(ctx context.Context, b, bulk []byte, paced bool) error {
	o := q.o
	m := shm.Mutex{O: o, At: queuePutLock}
	if err := m.Lock(ctx); err != nil {
		return err
	}
	if o.U32(queuePutMended).Load() != m.Recovered() {
		mendPut(o)
	}
	if q.isClosed() {
		m.Unlock()
		return shm.ErrClosed
	}
	size := uint64(len(b) + len(bulk))
	tail := o.U64(queueTail).Load()
	if paced && tail/paceBytes != (tail+size)/paceBytes && tail+size-o.U64(queueHead).Load() > warmBytes {
		m.Unlock()
		return errAhead
	}
	if !q.seesRoom(tail, size) {
		m.Unlock()
		return failure.ErrFull
	}
	if to := q.putBlock.bytes(tail, size); to != nil {
		copy(to[copy(to, b):], bulk)
	} else if err := q.putFar(tail, b, bulk); err != nil {
		m.Unlock()
		return err
	}
	if trace.IsEnabled() {
		tracing.Send(tracing.KindQueue, o.TraceKey(0), putCount(o))
	}
	q.advance(queuePutIntent, queueTail, queuePut, tail+size)
	more := o.U32(queueWriters).Load() > 0 && q.seesRoom(tail+size, size)
	m.Unlock()
	q.note(&q.lastPut)
	q.wakeOne(queueArrived, queueReaders)
	if more {
		q.wakeOne(queueLeft, queueWriters)
	}
	return nil
}

// putFar copies an encoded value to a position outside the cached block.
func (q *sharedQueue) putFar(tail uint64, b, bulk []byte) error {
	if err := q.extend(tail + uint64(len(b)+len(bulk))); err != nil {
		return err
	}
	q.write(tail, b)
	q.write(tail+uint64(len(b)), bulk)
	q.putBlock = q.near(tail)
	return nil
}

// seesRoom reports whether there is room for size bytes at the tail. It reads the
// readers' counts only if the cached ones are not enough. The caller has the writers'
// lock.
func (q *sharedQueue) seesRoom(tail, size uint64) bool {
	head, taken := q.o.U64(queueSeenHead), q.o.U64(queueSeenTaken)
	put := putCount(q.o)
	for again := false; ; again = true {
		if tail-head.Load()+size <= q.bytes() && (q.limit == 0 || put-taken.Load() < q.limit) {
			return true
		}
		if again {
			return false
		}
		head.Store(q.o.U64(queueHead).Load())
		taken.Store(min(takenCount(q.o), put))
	}
}

// hasRoom is seesRoom without the lock.
func (q *sharedQueue) hasRoom(size uint64) bool {
	used := q.o.U64(queueTail).Load() - q.o.U64(queueHead).Load()
	return used+size <= q.bytes() && (q.limit == 0 || uint64(q.Length()) < q.limit)
}

// wakeOne wakes one process that sleeps on a bell. It wakes none if a process was woken that
// has not checked the queue yet: that process wakes the next one.
func (q *sharedQueue) wakeOne(bell, sleepers int) {
	if q.o.U32(sleepers).Load() > 0 {
		if b := q.o.U32(bell); b.Load() == 0 && b.CompareAndSwap(0, 1) {
			q.o.Wake(bell, 1)
		}
	}
}

// note records that this process has put or taken a value.
func (q *sharedQueue) note(last *atomic.Uint32) {
	if now := q.o.Losses() + 1; last.Load() != now {
		last.Store(now)
	}
}
