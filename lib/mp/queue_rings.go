package mp

import (
	"context"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A ringQueue is a ring, or a chain of rings if it has no size: where one is
// full, a larger one takes over.
type ringQueue struct {
	tally
	elem             elem
	first, last      atomic.Pointer[ring] // to get from, to put into
	getters, putters waiters

	mu      sync.Mutex // for changes of last, and for close
	endless bool
	closed  bool
}

// leastRing is the size from which on a queue is a ring, and not a channel.
const leastRing = 64

// Sizes of the rings of an endless queue.
const (
	firstRing = 64
	lastRing  = 1 << 14
)

func newRingQueue(e elem, size int, counted bool) *ringQueue {
	q := &ringQueue{tally: newTally(counted), elem: e, endless: size == 0}
	if q.endless {
		size = firstRing
	}
	r := newRing(&q.elem, size)
	q.first.Store(r)
	q.last.Store(r)
	return q
}

func (q *ringQueue) length() int {
	n := 0
	for r := q.first.Load(); r != nil; r = r.next.Load() {
		n += r.length()
	}
	return n
}

func (q *ringQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.last.Load().close()
	q.mu.Unlock()
	q.getters.wake(shm.All)
	q.putters.wake(shm.All)
}

// grow adds a ring behind r, if that is the last.
func (q *ringQueue) grow(r *ring) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last.Load() == r && !q.closed {
		next := newRing(&q.elem, min(2*r.size, lastRing))
		r.next.Store(next)
		q.last.Store(next)
		r.close()
	}
}

func (q *ringQueue) put(ctx context.Context, v unsafe.Pointer, wait bool) error {
	q.expect()
	state := q.tryPut(v)
	if state == ringDone {
		return nil
	}
	err := ErrFull
	if state == ringFull && wait {
		state, err = q.putters.await(ctx, q.last.Load().size, ringFull, func() ringState { return q.tryPut(v) })
	}
	if state == ringEnded {
		err = ErrClosed
	}
	return q.unless(err)
}

func (q *ringQueue) tryPut(v unsafe.Pointer) ringState {
	for {
		r := q.last.Load()
		state := r.put(v)
		switch {
		case state == ringDone:
			q.getters.wake(1)
			return state
		case state == ringFull && q.endless:
			q.grow(r)
		case state == ringFull || q.last.Load() == r:
			return state
		}
	}
}

func (q *ringQueue) get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	state := q.tryGet(v)
	if state == ringEmpty && wait {
		state, err = q.getters.await(ctx, q.first.Load().size, ringEmpty, func() ringState { return q.tryGet(v) })
	}
	if state == ringEnded {
		err = ErrClosed
	}
	return state == ringDone, err
}

func (q *ringQueue) tryGet(v unsafe.Pointer) ringState {
	for {
		r := q.first.Load()
		state := r.get(v)
		if state == ringDone {
			q.putters.wake(1)
		}
		if state != ringEnded {
			return state
		}
		next := r.next.Load()
		if next == nil {
			return state
		}
		q.first.CompareAndSwap(r, next)
	}
}
