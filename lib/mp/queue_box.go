package mp

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/mphost"
)

// A boxQueue is a channel of pointers to values, with a count of those who put, so
// that it is never closed beside a send. It does what a nativeQueue does where that
// cannot be, and with half of its speed.
type boxQueue struct {
	tally
	elem    elem
	ch      chan boxRef // boxes with a value each
	boxes   sync.Pool   // without
	closed  chan struct{}
	once    sync.Once
	over    atomic.Bool  // closed is closed
	putting atomic.Int32 // goroutines that may have found it open
}

// A boxRef points to a box, or is any other pointer in a channel. It is no bare unsafe.Pointer: reflect.ChanOf
// ends the process (Go 1.26) if the program has the type *chan unsafe.Pointer.
type boxRef struct{ box unsafe.Pointer }

func newBoxQueue(e elem, size int, counted bool) *boxQueue {
	return &boxQueue{
		tally: newTally(counted), elem: e, ch: make(chan boxRef, size), closed: make(chan struct{}),
		boxes: sync.Pool{New: func() any { return e.room(1) }},
	}
}

func (q *boxQueue) length() int { return len(q.ch) }

func (q *boxQueue) close() {
	q.once.Do(func() {
		q.over.Store(true)
		close(q.closed)
	})
}

func (q *boxQueue) put(ctx context.Context, v unsafe.Pointer, wait bool) error {
	q.expect()
	box := q.boxes.Get().(unsafe.Pointer)
	q.elem.move(box, v)
	err := q.send(ctx, box, wait)
	if err != nil {
		q.elem.take(v, box)
		q.boxes.Put(box)
	}
	return q.unless(err)
}

func (q *boxQueue) send(ctx context.Context, box unsafe.Pointer, wait bool) error {
	q.putting.Add(1)
	defer q.putting.Add(-1)
	if q.over.Load() {
		return ErrClosed
	}
	for range 2 {
		select {
		case q.ch <- boxRef{box}:
			return nil
		default:
		}
		if !wait {
			return ErrFull
		}
		runtime.Gosched() // a getter often makes much room at once
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	select {
	case q.ch <- boxRef{box}:
		return nil
	case <-q.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *boxQueue) get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	box, err := q.receive(ctx, wait)
	if box == nil || err != nil {
		return false, err
	}
	q.elem.take(v, box)
	q.boxes.Put(box)
	return true, nil
}

func (q *boxQueue) receive(ctx context.Context, wait bool) (unsafe.Pointer, error) {
	for range 2 {
		select {
		case b := <-q.ch:
			return b.box, nil
		default:
		}
		if !wait && !q.over.Load() {
			return nil, nil
		}
		runtime.Gosched() // a putter often puts much at once
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	select {
	case b := <-q.ch:
		return b.box, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-q.closed:
		return q.last()
	}
}

// last receives from a closed queue.
func (q *boxQueue) last() (unsafe.Pointer, error) {
	for {
		open := q.putting.Load() > 0
		select {
		case b := <-q.ch:
			return b.box, nil
		default:
		}
		if !open {
			return nil, ErrClosed
		}
		runtime.Gosched()
	}
}
