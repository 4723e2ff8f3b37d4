package queue

import (
	"context"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// waiters has the goroutines that wait for a condition; they are woken in the order in
// which they came. A goroutine that makes the condition true calls wake afterwards. A
// goroutine that waits calls sleep, which checks the condition once more. So no wake-up
// is missed.
//
// One goroutine is woken at a time. When it has checked the condition, it wakes the
// next one if the condition still holds. So values that come faster do not cost a
// wake-up each.
type waiters struct {
	n     atomic.Int32 // goroutines that sleep and were not woken
	woken atomic.Int32 // goroutines that were woken and have not checked
	bell  chan struct{}
}

// maxWaiters is the capacity of bell. Its elements have size 0, so it takes no memory.
const maxWaiters = 1 << 30

func newWaiters() waiters { return waiters{bell: make(chan struct{}, maxWaiters)} }

// sleep waits until the caller is woken, unless ready returns true. what is the name of
// the wait in a trace. The error is ctx's.
func (w *waiters) sleep(ctx context.Context, what string, ready func() bool) error {
	w.n.Add(1)
	if ready() {
		w.leave()
		return nil
	}
	defer tracing.Wait(what).End()
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
			w.wake(1) // pass the wake-up on to another
		}
		return context.Cause(ctx)
	}
}

// leave ends a sleep. woken is true if the caller was woken at the same time.
func (w *waiters) leave() (woken bool) {
	if w.takeOne() {
		return false
	}
	<-w.bell
	w.woken.Add(-1)
	return true
}

// takeOne decrements n unless it is 0, and reports whether it did.
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

// wake wakes one waiter, unless one was woken that has not checked yet. With n =
// shm.All it wakes all.
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
