package queue

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A ringQueue is a queue for goroutines: one ring, or, if it has no size, a chain of
// rings. When a ring of the chain is full, a larger one follows it.
type ringQueue struct {
	pendingCount
	elem        call.Elem
	first, last atomic.Pointer[ring] // the rings to get from and to put into
	endless     bool

	_       [cacheLine]byte
	getters waiters
	_       [cacheLine]byte
	putters waiters
	_       [cacheLine]byte

	mu     sync.Mutex // held to change last and to close
	closed bool
}

// Sizes of the first and the largest rings of a chain.
const (
	firstRing = 64
	lastRing  = 1 << 14
)

func newRingQueue(e call.Elem, size int, counted bool) *ringQueue {
	q := &ringQueue{
		pendingCount: newPendingCount(counted), elem: e, endless: size == 0,
		getters: newWaiters(), putters: newWaiters(),
	}
	if q.endless {
		size = firstRing
	}
	r := newRing(&q.elem, tracing.NewKey(), 0, size)
	q.first.Store(r)
	q.last.Store(r)
	return q
}

func (q *ringQueue) Length() int {
	n := 0
	for r := q.first.Load(); r != nil; r = r.next.Load() {
		n += r.length()
	}
	return n
}

func (q *ringQueue) Close() {
	q.mu.Lock()
	q.closed = true
	q.last.Load().close()
	q.mu.Unlock()
	q.getters.wake(shm.All)
	q.putters.wake(shm.All)
}

// grow adds a ring after r, if r is the last.
func (q *ringQueue) grow(r *ring) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last.Load() == r && !q.closed {
		next := newRing(&q.elem, r.key, r.index+1, min(2*r.size, lastRing))
		r.next.Store(next)
		q.last.Store(next)
		r.close()
	}
}

func (q *ringQueue) Put(ctx context.Context, v unsafe.Pointer, wait bool) error {
	return LocalPut(unsafe.Pointer(q), ctx, v, wait)
}

// LocalPut calls the method Put, and LocalGet the method Get, of the *ringQueue p. They are
// for code that does not know the type.
func LocalPut(p unsafe.Pointer, ctx context.Context, v unsafe.Pointer, wait bool) error {
	q := (*ringQueue)(p)
	if q.counted {
		q.addPending()
	}
	state := q.last.Load().put(v)
	if state == ringDone {
		if q.getters.mayWake() {
			q.getters.wake(1)
		}
		return nil
	}
	return q.removeOn(q.putSlow(ctx, v, wait, state))
}

// putSlow continues a put whose first attempt ended with state.
//
//go:noinline
func (q *ringQueue) putSlow(ctx context.Context, v unsafe.Pointer, wait bool, state ringState) error {
	if state == ringEnded || q.endless {
		state = q.tryPut(v)
	}
	if state == ringFull && wait {
		ctx, release := mphost.WithCancel(ctx)
		defer release()
		runtime.Gosched()
		for state = q.tryPut(v); state == ringFull; state = q.tryPut(v) {
			if err := q.putters.sleep(ctx, tracing.WaitQueuePut, func() bool { return q.last.Load().hasRoom() }); err != nil {
				return err
			}
		}
		if q.putters.mayWake() && q.last.Load().hasRoom() {
			q.putters.wake(1) // there is more room
		}
	}
	switch state {
	case ringEnded:
		return shm.ErrClosed
	case ringFull:
		return failure.ErrFull
	}
	return nil
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

func (q *ringQueue) Get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	return LocalGet(unsafe.Pointer(q), ctx, v, wait)
}

func LocalGet(p unsafe.Pointer, ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	q := (*ringQueue)(p)
	state := q.first.Load().get(v)
	if state == ringDone {
		if q.putters.mayWake() {
			q.putters.wake(1)
		}
		return true, nil
	}
	return q.getSlow(ctx, v, wait, state)
}

// getSlow continues a get whose first attempt ended with state.
//
//go:noinline
func (q *ringQueue) getSlow(ctx context.Context, v unsafe.Pointer, wait bool, state ringState) (ok bool, err error) {
	if state == ringEnded {
		state = q.tryGet(v)
	}
	if state == ringEmpty && wait {
		ctx, release := mphost.WithCancel(ctx)
		defer release()
		runtime.Gosched()
		for state = q.tryGet(v); state == ringEmpty; state = q.tryGet(v) {
			if err := q.getters.sleep(ctx, tracing.WaitQueueGet, func() bool { return q.first.Load().hasValue() }); err != nil {
				return false, err
			}
		}
		if q.getters.mayWake() && q.first.Load().hasValue() {
			q.getters.wake(1) // there are more values
		}
	}
	if state == ringEnded {
		return false, shm.ErrClosed
	}
	return state == ringDone, nil
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
