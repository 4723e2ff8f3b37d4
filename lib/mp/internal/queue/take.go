package queue

import (
	"context"
	"encoding/binary"
	"runtime"
	"runtime/trace"
	"slices"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Get takes the first value and stores it at v, which points to a variable of the codec's type.
func (q *sharedQueue) Get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	defer runtime.KeepAlive(q)
	var b *[]byte
	if !q.codec.Fixed && q.codec.Elem == nil {
		b = q.buffer()
		defer q.keep(b)
	}
	ok, err = q.take(ctx, b, v)
	if !ok && err == nil && wait {
		ok, err = q.await(ctx, b, v)
	} else if !ok && err == nil && q.isClosed() && q.isEmpty() {
		err = shm.ErrClosed
	}
	if ok && b != nil {
		err = q.decode(*b, v)
		ok = err == nil
	}
	return ok, err
}

func (q *sharedQueue) isEmpty() bool { return q.o.U64(queueHead).Load() == q.o.U64(queueTail).Load() }

// await waits for a value and takes it. It returns false without an error if orphaned
// reports that no value can come.
func (q *sharedQueue) await(ctx context.Context, b *[]byte, v unsafe.Pointer) (bool, error) {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	call := q.call(&q.lastPut)
	for last := false; ; {
		q.spin()
		closed := q.isClosed() // read before take: no value comes after the close
		if ok, err := q.take(ctx, b, v); ok || err != nil {
			return ok, err
		}
		switch {
		case closed:
			q.wakeAll()
			return false, shm.ErrClosed
		case last:
			return false, nil
		}
		if err := call.sleep(ctx, queueArrived, queueReaders, func() bool { return q.isClosed() || !q.isEmpty() }); err != nil {
			return false, err
		}
		last = q.orphaned != nil && q.orphaned() // it may have put a value before it died
	}
}

// Limits of how long a reader spins before it sleeps: about as long as it takes to put
// it to sleep and to wake it.
const (
	spinLooks    = 12
	longestSpin  = 300 // cycles between two looks
	mostSpins    = 4
	spinsSkipped = 15
)

// spin checks repeatedly for a value, with longer and longer pauses, so that a writer
// can put several values between two checks. While no writer runs this is useless, so
// after a few failures only one call in sixteen spins.
func (q *sharedQueue) spin() {
	score := q.spins.Load()
	if runtime.NumCPU() < 2 || score < 0 {
		q.spins.Add(1)
		return
	}
	for n := range spinLooks {
		if !q.isEmpty() {
			if score < mostSpins {
				q.spins.Add(1)
			}
			return
		}
		shm.Pause(min(50*(n+1), longestSpin))
	}
	if score--; score < 0 {
		score = -spinsSkipped
	}
	q.spins.Store(score)
}

// take takes a value from the ring, if there is one: its encoding into *b, or the value
// itself into *v if it needs no decoding.
func (q *sharedQueue) take(ctx context.Context, b *[]byte, v unsafe.Pointer) (ok bool, err error) {
	o := q.o
	if o.U64(queueHead).Load() == o.U64(queueSeenTail).Load() && q.isEmpty() {
		return false, nil
	}
	m := shm.Mutex{O: o, At: queueGetLock}
	if err := m.Lock(ctx); err != nil {
		return false, err
	}
	if o.U32(queueGetMended).Load() != m.Recovered() && mendGet(o) {
		recount(o)
	}
	head, tail := o.U64(queueHead).Load(), o.U64(queueSeenTail).Load()
	if head == tail {
		tail = o.U64(queueTail).Load()
		o.U64(queueSeenTail).Store(tail)
	}
	if head == tail {
		m.Unlock()
		return false, nil
	}
	end, err := q.readNear(head, tail, v)
	if end == 0 {
		end, err = q.readValue(head, tail, b, v)
	}
	if err != nil {
		m.Unlock()
		return false, err
	}
	if trace.IsEnabled() {
		tracing.Receive(tracing.KindQueue, o.TraceKey(0), takenCount(o))
	}
	q.countTaken()
	q.advance(queueGetIntent, queueHead, queueTaken, end)
	if head/blockSize != end/blockSize {
		q.free(head, end)
	}
	m.Unlock()
	q.note(&q.lastTake)
	q.wakeOne(queueLeft, queueWriters)
	if ahead := tail - head; ahead > easyBytes && tail-end <= easyBytes {
		q.wakeOne(queueEased, queueHasty)
	}
	if end != tail {
		q.wakeOne(queueArrived, queueReaders)
	}
	return true, nil
}

// readNear copies the value at head if it needs no decoding and is in the cached block.
// It returns the position of the next value, or 0 if it copied nothing.
func (q *sharedQueue) readNear(head, tail uint64, v unsafe.Pointer) (end uint64, err error) {
	n := lengthSize + uint64(q.codec.Size)
	if !q.codec.Fixed || n > tail-head {
		return 0, nil
	}
	from := q.getBlock.bytes(head, n)
	if from == nil {
		return 0, nil
	}
	if binary.LittleEndian.Uint32(from) != uint32(q.codec.Size) {
		return 0, failure.ErrMalformed
	}
	copy(unsafe.Slice((*byte)(v), q.codec.Size), from[lengthSize:])
	return head + n, nil
}

// readValue copies the value at head, and returns the position of the next one.
func (q *sharedQueue) readValue(head, tail uint64, b *[]byte, v unsafe.Pointer) (end uint64, err error) {
	if err := q.reach(head, lengthSize); err != nil {
		return 0, err
	}
	var length [lengthSize]byte
	q.read(head, length[:])
	n := uint64(binary.LittleEndian.Uint32(length[:]))
	if n > tail-head-lengthSize {
		return 0, failure.ErrMalformed
	}
	if err := q.reach(head, lengthSize+n); err != nil {
		return 0, err
	}
	at := head
	head += lengthSize
	if q.codec.Fixed {
		q.getBlock = q.near(at)
		if n != uint64(q.codec.Size) {
			return 0, failure.ErrMalformed
		}
		q.read(head, unsafe.Slice((*byte)(v), n))
		return head + n, nil
	}
	if q.codec.Elem != nil {
		return head + n, q.readBulk(head, n, v)
	}
	*b = slices.Grow((*b)[:0], int(n))[:n]
	q.read(head, *b)
	return head + n, nil
}

func (q *sharedQueue) decode(b []byte, v unsafe.Pointer) error {
	r := codec.Reader{B: b}
	q.codec.Decode(&r, v)
	if r.Err == nil && len(r.B) > 0 {
		r.Err = failure.ErrMalformed
	}
	return q.codec.ReceiveError(r.ValueErr())
}
