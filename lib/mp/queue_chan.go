package mp

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A chanQueue is a channel: the scheduler runs its two ends in turn on one
// core, and where there is little room nothing is faster.
type chanQueue struct {
	tally
	elem    elem
	ch      chan unsafe.Pointer // boxes with a value each
	boxes   sync.Pool           // without
	closed  chan struct{}
	once    sync.Once
	over    atomic.Bool  // closed is closed
	putting atomic.Int32 // goroutines that may have found it open
}

func newChanQueue(e elem, size int, counted bool) *chanQueue {
	return &chanQueue{
		tally: newTally(counted), elem: e, ch: make(chan unsafe.Pointer, size), closed: make(chan struct{}),
		boxes: sync.Pool{New: func() any { return e.room(1) }},
	}
}

func (q *chanQueue) length() int { return len(q.ch) }

func (q *chanQueue) close() {
	q.once.Do(func() {
		q.over.Store(true)
		close(q.closed)
	})
}

func (q *chanQueue) put(ctx context.Context, v unsafe.Pointer, wait bool) error {
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

func (q *chanQueue) send(ctx context.Context, box unsafe.Pointer, wait bool) error {
	q.putting.Add(1)
	defer q.putting.Add(-1)
	if q.over.Load() {
		return ErrClosed
	}
	for range 2 {
		select {
		case q.ch <- box:
			return nil
		default:
		}
		if !wait {
			return ErrFull
		}
		runtime.Gosched() // a getter often makes much room at once
	}
	ctx, release := hosted(ctx)
	defer release()
	select {
	case q.ch <- box:
		return nil
	case <-q.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *chanQueue) get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	box, err := q.receive(ctx, wait)
	if box == nil || err != nil {
		return false, err
	}
	q.elem.take(v, box)
	q.boxes.Put(box)
	return true, nil
}

func (q *chanQueue) receive(ctx context.Context, wait bool) (unsafe.Pointer, error) {
	for range 2 {
		select {
		case box := <-q.ch:
			return box, nil
		default:
		}
		if !wait && !q.over.Load() {
			return nil, nil
		}
		runtime.Gosched() // a putter often puts much at once
	}
	ctx, release := hosted(ctx)
	defer release()
	select {
	case box := <-q.ch:
		return box, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-q.closed:
		return q.last()
	}
}

// last receives from a closed queue.
func (q *chanQueue) last() (unsafe.Pointer, error) {
	for {
		open := q.putting.Load() > 0
		select {
		case box := <-q.ch:
			return box, nil
		default:
		}
		if !open {
			return nil, ErrClosed
		}
		runtime.Gosched()
	}
}
