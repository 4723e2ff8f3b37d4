package mp

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Waiters are goroutines that sleep until something they look for may be
// there, first come, first woken. Who makes it so calls wake afterwards; who
// looks calls add, looks again, and only then sleeps. So none is missed.
type waiters struct {
	n    atomic.Int32 // len(list)
	mu   sync.Mutex
	list []chan struct{}
}

// add makes the caller a waiter, who is woken by a close of the channel.
func (w *waiters) add() chan struct{} {
	woken := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, woken)
	w.n.Add(1)
	return woken
}

// sleep waits until the waiter is woken. Its error is ctx's.
func (w *waiters) sleep(ctx context.Context, woken chan struct{}) error {
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		w.leave(woken)
		return context.Cause(ctx)
	}
}

// await calls f until it returns another state than idle: first some times on
// the spot, with a pause in which the other side can deal with a good part of
// room values, since to fall asleep and be woken takes longer than that; then
// as a waiter.
func (w *waiters) await(ctx context.Context, room int, idle ringState, f func() ringState) (ringState, error) {
	if runtime.NumCPU() > 1 {
		for range glances {
			pause(min(10*room, longestPause))
			if state := f(); state != idle {
				return state, nil
			}
		}
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

// Bounds of what await does before it sleeps: some 5 µs.
const (
	glances      = 12
	longestPause = 1500 // cycles
)

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
		close(c)
	}
	clear(w.list[:n])
	if w.list = w.list[n:]; len(w.list) == 0 {
		w.list = nil
	}
	w.n.Store(int32(len(w.list)))
}
