package queue

import (
	"context"
	"reflect"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A channelQueue is a queue for at most maxChannel values, made of a Go channel. If
// nearly every put and get waits, a channel is fastest: it passes a value directly to
// the goroutine that it wakes.
//
// Close closes the channel. A put that waits, or comes later, then panics in the
// runtime and has put nothing; the panic becomes ErrClosed.
type channelQueue struct {
	pendingCount
	elem   call.Elem
	words  chan Word           // the values, if they are 8 bytes without pointers
	boxes  chan unsafe.Pointer // else the addresses of the values, which identify them in the trace
	spare  sync.Pool           // boxes for reuse
	closed atomic.Bool
	key    uint64        // of the queue, in traces
	tags   atomic.Uint64 // the last tag
}

// A Word is a value in the channel of a channelQueue. Tag identifies the value in a trace,
// since the order of the sends in a trace may differ from the order of the values in the
// channel. Tag is 0 if no trace was recorded when the value was put.
type Word struct{ X, Tag uint64 }

func newChannelQueue(e call.Elem, size int, counted bool) *channelQueue {
	q := &channelQueue{pendingCount: newPendingCount(counted), elem: e, key: tracing.NewKey()}
	if isWord(reflect.TypeOf(e.Pointer).Elem()) {
		q.words = make(chan Word, size)
	} else {
		q.boxes = make(chan unsafe.Pointer, size)
	}
	return q
}

func (q *channelQueue) Length() int { return len(q.words) + len(q.boxes) }

func (q *channelQueue) Close() {
	if q.closed.Swap(true) {
		return
	}
	if q.words != nil {
		close(q.words)
	} else {
		close(q.boxes)
	}
}

// Words has the channel of a channelQueue that is for values of 8 bytes without pointers, and
// does not count values for JoinableQueue. mp.Queue uses the channel directly for a Put or Get
// that waits, cannot be canceled and is not traced. This saves one call, a tenth of the time.
type Words struct {
	C chan Word
	q unsafe.Pointer // *channelQueue; code that uses a Words would compile more if it knew the type
}

// WordsOf returns the Words of q, or nil if it has none.
//
//go:noinline
func WordsOf(q Untyped) *Words {
	if c, ok := q.(*channelQueue); ok && c.words != nil && !c.counted {
		return &Words{c.words, unsafe.Pointer(c)}
	}
	return nil
}

// Send puts the value x into the queue. It waits while the queue is full, and returns ErrClosed
// if the queue is closed.
//
//go:noinline
func (w *Words) Send(x uint64) (err error) {
	defer (*channelQueue)(w.q).refuse(&err)
	w.C <- Word{X: x} // without a nonblocking attempt first, which would take as long as this send
	return nil
}

// Received logs that the value with the given tag was taken.
//
//go:noinline
func (w *Words) Received(tag uint64) { (*channelQueue)(w.q).received(tag) }

func (q *channelQueue) received(tag uint64) {
	if tag != 0 {
		tracing.Receive(tracing.KindLocalQueue, q.key, tag)
	}
}

// sending logs that a value is about to be sent, and returns its tag.
func (q *channelQueue) sending() (tag uint64) {
	if trace.IsEnabled() {
		tag = q.tags.Add(1)
		tracing.Send(tracing.KindLocalQueue, q.key, tag)
	}
	return tag
}

// refuse turns the panic of a put on a closed channel into ErrClosed. A put defers it.
func (q *channelQueue) refuse(err *error) {
	if v := recover(); v != nil {
		if !q.closed.Load() {
			panic(v)
		}
		*err = shm.ErrClosed
	}
}

func (q *channelQueue) Put(ctx context.Context, v unsafe.Pointer, wait bool) (err error) {
	if q.counted {
		q.addPending()
	}
	if q.words != nil {
		err = send(ctx, q, q.words, Word{*(*uint64)(v), q.sending()}, wait)
	} else {
		box := q.box()
		q.elem.Move(box, v)
		if trace.IsEnabled() {
			tracing.Send(tracing.KindLocalQueue, q.key, uint64(uintptr(box)))
		}
		if err = send(ctx, q, q.boxes, box, wait); err != nil {
			q.unbox(box)
		}
	}
	return q.removeOn(err)
}

func (q *channelQueue) Get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	if q.words == nil {
		box, ok, err := receive(ctx, q.boxes, wait)
		if ok {
			if trace.IsEnabled() {
				tracing.Receive(tracing.KindLocalQueue, q.key, uint64(uintptr(box)))
			}
			q.elem.Move(v, box)
			q.unbox(box)
		}
		return ok, err
	}
	x, ok, err := receive(ctx, q.words, wait)
	if ok {
		q.received(x.Tag)
		*(*uint64)(v) = x.X
	}
	return ok, err
}

// box returns memory for a value, and unbox gives it back.
func (q *channelQueue) box() unsafe.Pointer {
	if box, ok := q.spare.Get().(unsafe.Pointer); ok {
		return box
	}
	return q.elem.Room(1)
}

func (q *channelQueue) unbox(box unsafe.Pointer) {
	q.elem.Clear(box)
	q.spare.Put(box)
}

// send sends x on channel c of q. If the channel is full and wait is false, the error
// is ErrFull.
func send[X any](ctx context.Context, q *channelQueue, c chan X, x X, wait bool) (err error) {
	defer q.refuse(&err)
	select {
	case c <- x:
		return nil
	default:
	}
	if !wait {
		return failure.ErrFull
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	defer tracing.Wait(tracing.WaitQueuePut).End()
	select {
	case c <- x:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// receive receives a value. If there is none and wait is false, ok is false and err is nil.
func receive[X any](ctx context.Context, c chan X, wait bool) (x X, ok bool, err error) {
	select {
	case x, ok = <-c:
	default:
		if !wait {
			return x, false, nil
		}
		ctx, release := mphost.WithCancel(ctx)
		defer release()
		defer tracing.Wait(tracing.WaitQueueGet).End()
		select {
		case x, ok = <-c:
		case <-ctx.Done():
			return x, false, context.Cause(ctx)
		}
	}
	if !ok {
		err = shm.ErrClosed
	}
	return x, ok, err
}
