package mp

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"unsafe"
)

// A sharedQueue is a ring of bytes in shared memory: values with their lengths
// before them. Memory that was never written takes none, so the ring is larger
// than any queue should get. Writers and readers have a lock each; a value is
// in the ring when the tail is moved, out when the head is. A reader that is
// killed in between leaves its value to the next.
type sharedQueue[T any] struct {
	c     *cell
	codec *codec
	limit uint64
	// orphaned reports whether nothing can come any more; nil means never.
	orphaned func() bool

	buffers sync.Pool // *[]byte, to encode without either lock
}

// Where things are in the cell. Head and tail only grow, but for when the ring
// is empty and both are moved back to where memory is warm.
const (
	queuePutLock    = 0
	queueGetLock    = 64
	queueHead       = 128 // bytes taken out, u64
	queueTaken      = 136 // values, u64
	queueTail       = 192 // bytes put in, u64
	queuePut        = 200 // values, u64
	queueArrived    = 256 // counts up to wake readers
	queueReaders    = 260 // that sleep
	queueLeft       = 320 // counts up to wake writers
	queueWriters    = 324 // that sleep
	queueClosed     = 384
	queueLimit      = 392 // u64
	queueUnfinished = 448 // values put and not done, u32
	queueData       = 4096

	ringSize  = 1 << 32 // a power of two
	warmBytes = 1 << 20 // an empty ring beyond this starts again
)

func newSharedQueue[T any](size int) (queue[T], error) {
	codec, err := codecOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	c, err := newCell(Processes, queueData+ringSize)
	if err != nil {
		return nil, err
	}
	c.u64(queueLimit).Store(uint64(size))
	return &sharedQueue[T]{c: c, codec: codec, limit: uint64(size)}, nil
}

func openSharedQueue[T any](b []byte) (queue[T], error) {
	codec, err := codecOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	c, err := openCell(b, "Queue")
	if err != nil {
		return nil, err
	}
	return &sharedQueue[T]{c: c, codec: codec, limit: c.u64(queueLimit).Load()}, nil
}

func (q *sharedQueue[T]) handle() ([]byte, error) { return q.c.encode("Queue") }

func (q *sharedQueue[T]) length() int {
	defer runtime.KeepAlive(q)
	return max(0, int(int64(q.c.u64(queuePut).Load()-q.c.u64(queueTaken).Load())))
}

func (q *sharedQueue[T]) close() {
	q.c.u32(queueClosed).Store(1)
	q.signal(queueArrived)
	q.signal(queueLeft)
	runtime.KeepAlive(q)
}

// signal wakes all that sleep on a counter.
func (q *sharedQueue[T]) signal(off int) {
	q.c.u32(off).Add(1)
	q.c.wake(off, allWaiters)
}

const lengthSize = 4

func (q *sharedQueue[T]) put(ctx context.Context, v T, wait bool) error {
	defer runtime.KeepAlive(q)
	w := writer{}
	kept, _ := q.buffers.Get().(*[]byte)
	if kept == nil {
		kept = new([]byte)
	}
	w.b = append((*kept)[:0], 0, 0, 0, 0)
	q.codec.put(&w, unsafe.Pointer(&v))
	if w.err != nil {
		return w.err
	}
	if len(w.b) > ringSize/2 {
		return fmt.Errorf("mp: a value of %d bytes is too large for a queue; share it through an Array", len(w.b))
	}
	binary.LittleEndian.PutUint32(w.b, uint32(len(w.b)-lengthSize))
	err := q.append(ctx, w.b, wait)
	if cap(w.b) <= warmBytes {
		*kept = w.b
		q.buffers.Put(kept)
	}
	return err
}

// append adds an encoded value when there is room.
func (q *sharedQueue[T]) append(ctx context.Context, b []byte, wait bool) error {
	m := mutex{q.c, queuePutLock}
	for {
		if err := m.lock(ctx); err != nil {
			return err
		}
		if q.c.u32(queueClosed).Load() == 1 {
			m.unlock()
			return ErrClosed
		}
		tail := q.c.u64(queueTail).Load()
		used, values := tail-q.c.u64(queueHead).Load(), q.c.u64(queuePut).Load()-q.c.u64(queueTaken).Load()
		if used+uint64(len(b)) <= ringSize && (q.limit == 0 || values < q.limit) {
			q.write(tail, b)
			q.c.u32(queueUnfinished).Add(1)
			q.c.u64(queuePut).Add(1)
			q.c.u64(queueTail).Store(tail + uint64(len(b)))
			m.unlock()
			q.wakeOne(queueArrived, queueReaders)
			return nil
		}
		left := q.c.u32(queueLeft).Load()
		m.unlock()
		if !wait {
			return ErrFull
		}
		// The room may have come between the look and the load of left.
		if q.roomFor(len(b)) {
			continue
		}
		if err := q.sleep(ctx, queueLeft, queueWriters, left); err != nil {
			return err
		}
	}
}

func (q *sharedQueue[T]) roomFor(n int) bool {
	used := q.c.u64(queueTail).Load() - q.c.u64(queueHead).Load()
	return used+uint64(n) <= ringSize && (q.limit == 0 || uint64(q.length()) < q.limit)
}

func (q *sharedQueue[T]) sleep(ctx context.Context, off, count int, val uint32) error {
	q.c.u32(count).Add(1)
	defer q.c.u32(count).Add(^uint32(0))
	return q.c.wait(ctx, off, val, longWait)
}

func (q *sharedQueue[T]) wakeOne(off, count int) {
	q.c.u32(off).Add(1)
	if q.c.u32(count).Load() > 0 {
		q.c.wake(off, 1)
	}
}

// write and read copy to and from the ring, around its end.
func (q *sharedQueue[T]) write(at uint64, b []byte) {
	ring := q.c.mem[queueData:]
	n := copy(ring[at%ringSize:], b)
	copy(ring, b[n:])
}

func (q *sharedQueue[T]) read(at uint64, b []byte) {
	ring := q.c.mem[queueData:]
	n := copy(b, ring[at%ringSize:ringSize])
	copy(b[n:], ring)
}

// idleLooks is how often a reader looks for a value before it sleeps: about as
// long as it takes to put it to sleep and to wake it.
const idleLooks = 2000

func (q *sharedQueue[T]) get(ctx context.Context, wait bool) (v T, ok bool, err error) {
	defer runtime.KeepAlive(q)
	for {
		if b, taken, err := q.take(ctx); err != nil {
			return v, false, err
		} else if taken {
			err = q.decode(b, &v)
			return v, err == nil, err
		}
		arrived := q.c.u32(queueArrived).Load()
		if q.c.u64(queueHead).Load() != q.c.u64(queueTail).Load() {
			continue
		}
		if q.c.u32(queueClosed).Load() == 1 {
			return v, false, ErrClosed
		}
		if !wait {
			return v, false, nil
		}
		for range idleLooks {
			if q.c.u32(queueArrived).Load() != arrived {
				break
			}
		}
		if err := q.sleep(ctx, queueArrived, queueReaders, arrived); err != nil {
			return v, false, err
		}
		if q.orphaned != nil && q.c.u32(queueArrived).Load() == arrived && q.orphaned() {
			wait = false // it may have put something last
		}
	}
}

// take takes an encoded value out of the ring, if there is one.
func (q *sharedQueue[T]) take(ctx context.Context) (b []byte, ok bool, err error) {
	if q.c.u64(queueHead).Load() == q.c.u64(queueTail).Load() {
		return nil, false, nil
	}
	m := mutex{q.c, queueGetLock}
	if err := m.lock(ctx); err != nil {
		return nil, false, err
	}
	defer m.unlock()
	head, tail := q.c.u64(queueHead).Load(), q.c.u64(queueTail).Load()
	if head == tail {
		return nil, false, nil
	}
	var length [lengthSize]byte
	q.read(head, length[:])
	n := uint64(binary.LittleEndian.Uint32(length[:]))
	if n > tail-head-lengthSize {
		return nil, false, errMalformed
	}
	b = make([]byte, n)
	q.read(head+lengthSize, b)
	q.c.u64(queueTaken).Add(1)
	q.c.u64(queueHead).Store(head + lengthSize + n)
	if head+lengthSize+n == tail && tail%ringSize > warmBytes {
		q.rewind(tail)
	}
	q.wakeOne(queueLeft, queueWriters)
	return b, true, nil
}

// rewind moves an empty ring back to its start, where memory is warm, unless
// somebody puts something right now. The reader holds its lock.
func (q *sharedQueue[T]) rewind(tail uint64) {
	m := mutex{q.c, queuePutLock}
	if !m.try() {
		return
	}
	defer m.unlock()
	if q.c.u64(queueTail).Load() == tail {
		next := (tail/ringSize + 1) * ringSize
		q.c.u64(queueHead).Store(next)
		q.c.u64(queueTail).Store(next)
	}
}

func (q *sharedQueue[T]) decode(b []byte, v *T) error {
	r := reader{b: b}
	q.codec.get(&r, unsafe.Pointer(v))
	if r.err == nil && len(r.b) > 0 {
		r.err = errMalformed
	}
	if r.err != nil {
		return fmt.Errorf("mp: cannot receive a %v: %w", q.codec.typ, r.err)
	}
	return nil
}

func (q *sharedQueue[T]) done() error {
	defer runtime.KeepAlive(q)
	left := q.c.u32(queueUnfinished)
	for n := left.Load(); ; n = left.Load() {
		if n == 0 {
			return errTooDone
		}
		if left.CompareAndSwap(n, n-1) {
			if n == 1 {
				q.c.wake(queueUnfinished, allWaiters)
			}
			return nil
		}
	}
}

func (q *sharedQueue[T]) join(ctx context.Context) error {
	defer runtime.KeepAlive(q)
	for n := q.c.u32(queueUnfinished).Load(); n > 0; n = q.c.u32(queueUnfinished).Load() {
		if err := q.c.wait(ctx, queueUnfinished, n, longWait); err != nil {
			return err
		}
	}
	return nil
}
