package queue

import (
	"context"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Waiters are goroutines that sleep until something they look for may be there,
// first come, first woken. Who makes it so calls wake afterwards; who looks for it
// calls sleep, which looks once more. So none is missed.
//
// One is woken at a time. When it looks, it wakes the next if there is more: values
// that come faster than that cost no wake-up each.
type waiters struct {
	n     atomic.Int32 // that sleep and were not woken
	woken atomic.Int32 // that were woken and have not looked
	bell  chan struct{}
}

// maxWaiters is how many wake-ups fit into a bell, which takes no memory for them.
const maxWaiters = 1 << 30

func newWaiters() waiters { return waiters{bell: make(chan struct{}, maxWaiters)} }

// sleep waits until the caller is woken, unless ready says that it need not wait. Its
// error is ctx's.
func (w *waiters) sleep(ctx context.Context, ready func() bool) error {
	w.n.Add(1)
	if ready() {
		w.leave()
		return nil
	}
	if ctx.Done() == nil {
		<-w.bell
		w.woken.Add(-1)
		return nil
	}
	select {
	case <-w.bell:
		w.woken.Add(-1)
		return nil
	case <-ctx.Done():
		if w.leave() {
			w.wake(1) // another must have it
		}
		return context.Cause(ctx)
	}
}

// leave ends a sleep, and reports whether a waker was about to wake the caller.
func (w *waiters) leave() (woken bool) {
	if w.takeOne() {
		return false
	}
	<-w.bell
	w.woken.Add(-1)
	return true
}

// takeOne takes one off the number of those that sleep.
func (w *waiters) takeOne() bool {
	for n := w.n.Load(); n > 0; n = w.n.Load() {
		if w.n.CompareAndSwap(n, n-1) {
			return true
		}
	}
	return false
}

// mayWake reports whether a wake of one waiter would do anything.
func (w *waiters) mayWake() bool { return w.n.Load() > 0 && w.woken.Load() == 0 }

// wake wakes one waiter, unless one was woken that has not looked yet, or with
// shm.All all of them.
func (w *waiters) wake(n int) {
	for n > 0 && w.n.Load() > 0 {
		if n != shm.All && (w.woken.Load() > 0 || !w.woken.CompareAndSwap(0, 1)) {
			return
		}
		if n == shm.All {
			w.woken.Add(1)
		}
		if !w.takeOne() {
			w.woken.Add(-1)
			continue
		}
		w.bell <- struct{}{}
		if n != shm.All {
			n--
		}
	}
}
