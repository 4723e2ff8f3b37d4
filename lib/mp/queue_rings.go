package mp

import (
	"context"
	"sync"
	"sync/atomic"
)

// A ringQueue is a ring, or a chain of rings if it has no size: where one is
// full, a larger one takes over.
type ringQueue[T any] struct {
	tally
	first, last      atomic.Pointer[ring[T]] // to get from, to put into
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

func newRingQueue[T any](size int, counted bool) *ringQueue[T] {
	q := &ringQueue[T]{tally: newTally(counted), endless: size == 0}
	if q.endless {
		size = firstRing
	}
	r := newRing[T](size)
	q.first.Store(r)
	q.last.Store(r)
	return q
}

func (q *ringQueue[T]) length() int {
	n := 0
	for r := q.first.Load(); r != nil; r = r.next.Load() {
		n += r.length()
	}
	return n
}

func (q *ringQueue[T]) close() {
	q.mu.Lock()
	q.closed = true
	q.last.Load().close()
	q.mu.Unlock()
	q.getters.wake(allWaiters)
	q.putters.wake(allWaiters)
}

// grow adds a ring behind r, if that is the last.
func (q *ringQueue[T]) grow(r *ring[T]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last.Load() == r && !q.closed {
		next := newRing[T](min(2*len(r.slots), lastRing))
		r.next.Store(next)
		q.last.Store(next)
		r.close()
	}
}

func (q *ringQueue[T]) put(ctx context.Context, v T, wait bool) error {
	q.expect()
	state := q.tryPut(v)
	if state == ringDone {
		return nil
	}
	err := ErrFull
	if state == ringFull && wait {
		state, err = q.putters.await(ctx, len(q.last.Load().slots), ringFull, func() ringState { return q.tryPut(v) })
	}
	if state == ringEnded {
		err = ErrClosed
	}
	return q.unless(err)
}

func (q *ringQueue[T]) tryPut(v T) ringState {
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

func (q *ringQueue[T]) getInto(ctx context.Context, v *T) error {
	got, _, err := q.get(ctx, true)
	if err == nil {
		*v = got
	}
	return err
}

func (q *ringQueue[T]) get(ctx context.Context, wait bool) (v T, ok bool, err error) {
	v, state := q.tryGet()
	if state == ringDone {
		return v, true, nil
	}
	if state == ringEmpty && wait {
		return q.getLater(ctx)
	}
	return v, false, endError(state)
}

func (q *ringQueue[T]) getLater(ctx context.Context) (v T, ok bool, err error) {
	state, err := q.getters.await(ctx, len(q.first.Load().slots), ringEmpty, func() (state ringState) {
		v, state = q.tryGet()
		return state
	})
	if err == nil {
		err = endError(state)
	}
	return v, err == nil, err
}

func endError(state ringState) error {
	if state == ringEnded {
		return ErrClosed
	}
	return nil
}

func (q *ringQueue[T]) tryGet() (v T, state ringState) {
	for {
		r := q.first.Load()
		v, state = r.get()
		switch state {
		case ringDone:
			q.putters.wake(1)
			return v, state
		case ringEnded:
			next := r.next.Load()
			if next == nil {
				return v, state
			}
			q.first.CompareAndSwap(r, next)
		default:
			return v, state
		}
	}
}
