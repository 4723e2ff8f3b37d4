package mp

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// A chanQueue is a channel: the scheduler runs its two ends in turn on one
// core, and where there is little room nothing is faster.
type chanQueue[T any] struct {
	tally
	ch      chan T
	closed  chan struct{}
	once    sync.Once
	over    atomic.Bool  // closed is closed
	putting atomic.Int32 // goroutines that may have found it open
}

func newChanQueue[T any](size int, counted bool) *chanQueue[T] {
	return &chanQueue[T]{tally: newTally(counted), ch: make(chan T, size), closed: make(chan struct{})}
}

func (q *chanQueue[T]) length() int { return len(q.ch) }

func (q *chanQueue[T]) close() {
	q.once.Do(func() {
		q.over.Store(true)
		close(q.closed)
	})
}

func (q *chanQueue[T]) put(ctx context.Context, v T, wait bool) error {
	q.expect()
	q.putting.Add(1)
	defer q.putting.Add(-1)
	if q.over.Load() {
		return q.unless(ErrClosed)
	}
	for range 2 {
		select {
		case q.ch <- v:
			return nil
		default:
		}
		if !wait {
			return q.unless(ErrFull)
		}
		runtime.Gosched() // a getter often makes much room at once
	}
	ctx, release := hosted(ctx)
	defer release()
	select {
	case q.ch <- v:
		return nil
	case <-q.closed:
		return q.unless(ErrClosed)
	case <-ctx.Done():
		return q.unless(context.Cause(ctx))
	}
}

func (q *chanQueue[T]) getInto(ctx context.Context, v *T) error {
	got, _, err := q.get(ctx, true)
	if err == nil {
		*v = got
	}
	return err
}

func (q *chanQueue[T]) get(ctx context.Context, wait bool) (v T, ok bool, err error) {
	for range 2 {
		select {
		case v = <-q.ch:
			return v, true, nil
		default:
		}
		if !wait && !q.over.Load() {
			return v, false, nil
		}
		runtime.Gosched() // a putter often puts much at once
	}
	ctx, release := hosted(ctx)
	defer release()
	select {
	case v = <-q.ch:
		return v, true, nil
	case <-ctx.Done():
		return v, false, context.Cause(ctx)
	case <-q.closed:
		return q.last()
	}
}

// last gets from a closed queue.
func (q *chanQueue[T]) last() (v T, ok bool, err error) {
	for {
		open := q.putting.Load() > 0
		select {
		case v = <-q.ch:
			return v, true, nil
		default:
		}
		if !open {
			return v, false, ErrClosed
		}
		runtime.Gosched()
	}
}
