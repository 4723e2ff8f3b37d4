package mp

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Waiters are goroutines that sleep until something they look for may be
// there, first come, first woken. Who makes it so calls wake afterwards; who
// looks calls add, looks again, and only then sleeps. So none is missed.
type waiters struct {
	n    atomic.Int32 // len(list)
	luck atomic.Int32 // see glance
	mu   sync.Mutex
	list []chan struct{} // each with room for one
}

var idleWakers = sync.Pool{New: func() any { return make(chan struct{}, 1) }}

// add makes the caller a waiter, who is woken by a value in the channel.
func (w *waiters) add() chan struct{} {
	woken := idleWakers.Get().(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, woken)
	w.n.Store(int32(len(w.list)))
	return woken
}

// sleep waits until the waiter is woken, and ends it. Its error is ctx's.
func (w *waiters) sleep(ctx context.Context, woken chan struct{}) error {
	if ctx.Done() == nil {
		<-woken
		idleWakers.Put(woken)
		return nil
	}
	select {
	case <-woken:
		idleWakers.Put(woken)
		return nil
	case <-ctx.Done():
		w.leave(woken)
		return context.Cause(ctx)
	}
}

// leave ends the waiter. If it was woken, another has that then.
func (w *waiters) leave(woken chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-woken:
		w.wakeLocked(1)
	default:
		w.list = deleteIf(w.list, func(c chan struct{}) bool { return c == woken })
		w.n.Store(int32(len(w.list)))
	}
	idleWakers.Put(woken)
}

// wake wakes at most n waiters.
func (w *waiters) wake(n int) {
	if w.n.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wakeLocked(n)
}

func (w *waiters) wakeLocked(n int) {
	n = min(n, len(w.list))
	for _, c := range w.list[:n] {
		c <- struct{}{}
	}
	clear(w.list[:n])
	if w.list = w.list[n:]; len(w.list) == 0 {
		w.list = nil
	}
	w.n.Store(int32(len(w.list)))
}

// await calls f until it returns another state than idle: on the spot for a
// while, and then as a waiter. room is how many values the queue has room for.
func (w *waiters) await(ctx context.Context, room int, idle ringState, f func() ringState) (ringState, error) {
	if state := w.glance(room, idle, f); state != idle {
		return state, nil
	}
	runtime.Gosched()
	ctx, release := hosted(ctx)
	defer release()
	for {
		woken := w.add()
		if state := f(); state != idle {
			w.leave(woken)
			return state, nil
		}
		if err := w.sleep(ctx, woken); err != nil {
			return idle, err
		}
	}
}

// Bounds of what glance does: some 5 µs.
const (
	glances      = 12
	longestPause = 1500 // cycles
	mostLuck     = 4
)

// glance calls f a few times with pauses, in which the other side can deal
// with a good part of the room: to fall asleep and be woken takes longer than
// that. It is of no use where the other side does not run meanwhile, since the
// machine has one core or other work; after it was in vain a few times, only
// one call in sixteen tries.
func (w *waiters) glance(room int, idle ringState, f func() ringState) ringState {
	luck := w.luck.Load()
	if runtime.NumCPU() < 2 {
		return idle
	}
	if luck < 0 {
		w.luck.Add(1)
		return idle
	}
	for range glances {
		shm.Pause(min(10*room, longestPause))
		if state := f(); state != idle {
			if luck < mostLuck {
				w.luck.Add(1)
			}
			return state
		}
	}
	if luck--; luck < 0 {
		luck = -15
	}
	w.luck.Store(luck)
	return idle
}
