package mp

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"
)

// A sharedQueue is a ring in shared memory: values with their lengths before
// them. Writers and readers have a lock each; a value is in the ring when the
// tail is moved, out when the head is. A reader that is killed in between
// leaves its value to the next.
//
// The ring consists of blocks. Readers hand back the blocks that they have
// emptied, and writers take those first: however much goes through the queue,
// it takes the memory of what was in it at one time, and that stays warm. A
// process that is killed while it holds a block costs no more than the block.
//
// It is not generic: each cell or package that has a Queue would compile it anew.
type sharedQueue struct {
	c     *cell
	codec *codec
	limit uint64
	// orphaned reports whether nothing can come any more; nil means never.
	orphaned func() bool

	buffers sync.Pool // *[]byte, for encoded values
}

// Where things are in the cell.
const (
	queuePutLock   = 0
	queueGetLock   = 64
	queueHead      = 128 // bytes taken out, u64
	queueTaken     = 136 // values, u64
	queueFreed     = 144 // blocks handed back, u64
	queueTail      = 192 // bytes put in, u64
	queuePut       = 200 // values, u64
	queueReused    = 208 // blocks taken from those handed back, u64
	queueBlocks    = 216 // blocks ever used, u64
	queueMapped    = 224 // blocks of the ring that have memory, or had, u64
	queueArrived   = 256 // counts up to wake readers
	queueReaders   = 260 // that sleep
	queueLeft      = 320 // counts up to wake writers
	queueWriters   = 324 // that sleep
	queueEased     = 328 // counts up to wake writers that are far ahead
	queueHasty     = 332 // those, that sleep
	queueClosed    = 384
	queueLimit     = 392 // u64
	queueDone      = 448 // values dealt with, for JoinableQueue
	queuePutIntent = 456 // u64, see intent
	queueGetIntent = 464
	queuePutMended = 472 // deaths with the lock that were dealt with
	queueGetMended = 476
	queueMap       = 4096
	queueFree      = queueMap + 4*ringBlocks
	queueData      = queueFree + 4*ringBlocks

	blockSize  = 1 << 18
	ringBlocks = 1 << 14
	ringSize   = blockSize * ringBlocks // in bytes; none takes memory until used

	// warmBlocks are kept when they are empty; others give back their memory.
	warmBlocks = 64
	// warmBytes is how much a writer is ahead of the readers until it pauses
	// each time it has put paceBytes more, until they have caught up to
	// easyBytes, but no longer than pace.
	warmBytes = 8 << 20
	easyBytes = 4 << 20
	paceBytes = 1 << 20
	pace      = 2 * time.Millisecond
)

func newSharedQueue(t reflect.Type, size int) (*sharedQueue, error) {
	codec, err := codecOf(t)
	if err != nil {
		return nil, err
	}
	c, err := newCell(Processes, queueData+ringSize)
	if err != nil {
		return nil, err
	}
	c.u64(queueLimit).Store(uint64(size))
	return &sharedQueue{c: c, codec: codec, limit: uint64(size)}, nil
}

func openSharedQueue(t reflect.Type, b []byte) (*sharedQueue, error) {
	codec, err := codecOf(t)
	if err != nil {
		return nil, err
	}
	c, err := openCell(b, "Queue")
	if err != nil {
		return nil, err
	}
	return &sharedQueue{c: c, codec: codec, limit: c.u64(queueLimit).Load()}, nil
}

func (q *sharedQueue) handle() ([]byte, error) { return q.c.encode("Queue") }

func (q *sharedQueue) length() int {
	defer runtime.KeepAlive(q)
	return max(0, int(int64(q.c.u64(queuePut).Load()-q.c.u64(queueTaken).Load())))
}

// close closes the queue between two puts: with the writers' lock, so that what
// a Put has found open is in the queue before readers see the end.
func (q *sharedQueue) close() {
	m := mutex{q.c, queuePutLock}
	_ = m.lock(steady{context.Background()})
	q.mend(m, queuePutMended, queuePutIntent, queueTail, queuePut)
	q.c.u32(queueClosed).Store(1)
	m.unlock()
	q.signal(queueArrived)
	q.signal(queueLeft)
	q.signal(queueEased)
	runtime.KeepAlive(q)
}

// signal wakes all that sleep on a counter.
func (q *sharedQueue) signal(off int) {
	q.c.u32(off).Add(1)
	q.c.wake(off, allWaiters)
}

const lengthSize = 4

// put adds the value at p, which is of the codec's type.
func (q *sharedQueue) put(ctx context.Context, p unsafe.Pointer, wait bool) error {
	defer runtime.KeepAlive(q)
	kept := q.buffer()
	defer q.keep(kept)
	w := writer{b: append((*kept)[:0], 0, 0, 0, 0)}
	var bulk []byte // goes into the ring without a detour
	if q.codec.elem != nil {
		bulk = q.codec.bulk(p)
		w.putLen(len(*(*[]byte)(p)), *(*[]byte)(p) == nil)
	} else {
		q.codec.put(&w, p)
	}
	*kept = w.b
	if w.err != nil {
		return w.failure(q.codec)
	}
	size := len(w.b) - lengthSize + len(bulk)
	if size > ringSize/2 {
		return fmt.Errorf("mp: a value of %d bytes is too large for a queue; share it through an Array", size)
	}
	binary.LittleEndian.PutUint32(w.b, uint32(size))
	return q.append(ctx, w.b, bulk, wait)
}

// buffer and keep lend buffers for encoded values.
func (q *sharedQueue) buffer() *[]byte {
	if b, ok := q.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

func (q *sharedQueue) keep(b *[]byte) {
	if kept(*b) != nil {
		q.buffers.Put(b)
	}
}

// append adds an encoded value, in two parts, when there is room. A queue
// without a size is never full, but a writer who is far ahead of the readers
// gives them a moment, so that memory is used again while it is warm.
func (q *sharedQueue) append(ctx context.Context, b, bulk []byte, wait bool) error {
	m := mutex{q.c, queuePutLock}
	size := uint64(len(b) + len(bulk))
	for paused := false; ; {
		if err := m.lock(ctx); err != nil {
			return err
		}
		q.mend(m, queuePutMended, queuePutIntent, queueTail, queuePut)
		if q.c.u32(queueClosed).Load() == 1 {
			m.unlock()
			return ErrClosed
		}
		tail := q.c.u64(queueTail).Load()
		used, values := tail-q.c.u64(queueHead).Load(), q.c.u64(queuePut).Load()-q.c.u64(queueTaken).Load()
		if ahead := used+size > warmBytes && tail/paceBytes != (tail+size)/paceBytes; ahead && wait && !paused {
			eased := q.c.u32(queueEased).Load()
			m.unlock()
			paused = true
			if err := q.sleep(ctx, queueEased, queueHasty, eased, pace); err != nil {
				return err
			}
			continue
		}
		if used+size <= ringSize && (q.limit == 0 || values < q.limit) {
			q.write(tail, b)
			q.write(tail+uint64(len(b)), bulk)
			q.advance(queuePutIntent, queueTail, queuePut, tail+size)
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
		if q.roomFor(size) {
			continue
		}
		if err := q.sleep(ctx, queueLeft, queueWriters, left, longWait); err != nil {
			return err
		}
	}
}

// advance moves an end of the ring and counts the value. A process may be
// killed in between: the intent, the low halves of the count before and of the
// place after, lets the next one that has the lock find out.
func (q *sharedQueue) advance(intent, end, count int, to uint64) {
	n := q.c.u64(count)
	q.c.u64(intent).Store(n.Load()<<32 | uint64(uint32(to)))
	n.Add(1)
	q.c.u64(end).Store(to)
}

// mend corrects the count if the lock, which the caller has, was taken from a
// process that died with it.
func (q *sharedQueue) mend(m mutex, mended, intent, end, count int) {
	deaths := q.c.u32(m.at + lockRecovered).Load()
	if q.c.u32(mended).Load() == deaths {
		return
	}
	n, i := q.c.u64(count), q.c.u64(intent).Load()
	want := uint32(i >> 32)
	if uint32(q.c.u64(end).Load()) == uint32(i) {
		want++
	}
	if i != 0 {
		n.Add(uint64(int64(int32(want - uint32(n.Load())))))
	}
	q.c.u32(mended).Store(deaths)
}

func (q *sharedQueue) roomFor(n uint64) bool {
	used := q.c.u64(queueTail).Load() - q.c.u64(queueHead).Load()
	return used+n <= ringSize && (q.limit == 0 || uint64(q.length()) < q.limit)
}

func (q *sharedQueue) sleep(ctx context.Context, off, count int, val uint32, d time.Duration) error {
	q.c.u32(count).Add(1)
	defer q.c.u32(count).Add(^uint32(0))
	return q.c.wait(ctx, off, val, d)
}

func (q *sharedQueue) wakeOne(off, count int) {
	q.c.u32(off).Add(1)
	if q.c.u32(count).Load() > 0 {
		q.c.wake(off, 1)
	}
}

// idleLooks is how often a reader looks for a value before it sleeps: about as
// long as it takes to put it to sleep and to wake it.
const idleLooks = 2000

// get takes the first value into *v, which is of the codec's type.
func (q *sharedQueue) get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	defer runtime.KeepAlive(q)
	b := q.buffer()
	defer q.keep(b)
	for {
		if taken, err := q.take(ctx, b, v); err != nil {
			return false, err
		} else if taken {
			if q.codec.elem == nil {
				err = q.decode(*b, v)
			}
			return err == nil, err
		}
		arrived := q.c.u32(queueArrived).Load()
		closed := q.c.u32(queueClosed).Load() == 1 // nothing comes after that
		if q.c.u64(queueHead).Load() != q.c.u64(queueTail).Load() {
			continue
		}
		if closed {
			return false, ErrClosed
		}
		if !wait {
			return false, nil
		}
		for range idleLooks {
			if q.c.u32(queueArrived).Load() != arrived {
				break
			}
		}
		if err := q.sleep(ctx, queueArrived, queueReaders, arrived, longWait); err != nil {
			return false, err
		}
		if q.orphaned != nil && q.c.u32(queueArrived).Load() == arrived && q.orphaned() {
			wait = false // it may have put something last
		}
	}
}

// take takes an encoded value out of the ring, if there is one, into *b, or
// into *v if it needs no decoding.
func (q *sharedQueue) take(ctx context.Context, b *[]byte, v unsafe.Pointer) (ok bool, err error) {
	if q.c.u64(queueHead).Load() == q.c.u64(queueTail).Load() {
		return false, nil
	}
	m := mutex{q.c, queueGetLock}
	if err := m.lock(ctx); err != nil {
		return false, err
	}
	q.mend(m, queueGetMended, queueGetIntent, queueHead, queueTaken)
	head, tail := q.c.u64(queueHead).Load(), q.c.u64(queueTail).Load()
	if head == tail {
		m.unlock()
		return false, nil
	}
	var length [lengthSize]byte
	q.read(head, length[:])
	n := uint64(binary.LittleEndian.Uint32(length[:]))
	if n > tail-head-lengthSize {
		m.unlock()
		return false, errMalformed
	}
	if q.codec.elem == nil {
		*b = slices.Grow((*b)[:0], int(n))[:n]
		q.read(head+lengthSize, *b)
	} else if err := q.readBulk(head+lengthSize, n, v); err != nil {
		m.unlock()
		return false, err
	}
	q.advance(queueGetIntent, queueHead, queueTaken, head+lengthSize+n)
	q.free(head, head+lengthSize+n)
	m.unlock()
	q.wakeOne(queueLeft, queueWriters)
	if ahead := tail - head; ahead > easyBytes && ahead-lengthSize-n <= easyBytes {
		q.wakeOne(queueEased, queueHasty)
	}
	return true, nil
}

func (q *sharedQueue) decode(b []byte, v unsafe.Pointer) error {
	r := reader{b: b}
	q.codec.get(&r, v)
	if r.err == nil && len(r.b) > 0 {
		r.err = errMalformed
	}
	return q.codec.cannotReceive(r.outcome())
}

func (q *sharedQueue) done() error {
	defer runtime.KeepAlive(q)
	done := q.c.u32(queueDone)
	for n := done.Load(); ; n = done.Load() {
		put := uint32(q.c.u64(queuePut).Load())
		if n == put {
			return errTooDone
		}
		if done.CompareAndSwap(n, n+1) {
			if n+1 == put {
				q.c.wake(queueDone, allWaiters)
			}
			return nil
		}
	}
}

func (q *sharedQueue) join(ctx context.Context) error {
	defer runtime.KeepAlive(q)
	m := mutex{q.c, queuePutLock}
	for {
		n := q.c.u32(queueDone).Load()
		if n == uint32(q.c.u64(queuePut).Load()) {
			return nil
		}
		if err := q.c.wait(ctx, queueDone, n, longWait); err != nil {
			return err
		}
		if q.c.u32(queueDone).Load() == n { // perhaps because a writer died
			if err := m.lock(ctx); err != nil {
				return err
			}
			q.mend(m, queuePutMended, queuePutIntent, queueTail, queuePut)
			m.unlock()
		}
	}
}
