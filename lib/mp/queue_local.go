package mp

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// A localQueue is a channel, and what does not fit into it if it has no size.
type localQueue[T any] struct {
	ch     chan T
	closed chan struct{}
	once   sync.Once
	over   atomic.Bool // closed is closed

	endless bool
	mu      sync.Mutex
	rest    []T // beyond ch, if endless

	counted bool // for done and join
	left    cell // one word: values put and not done
}

// localRoom is the size of the channel of an endless queue.
const localRoom = 256

func newLocalQueue[T any](size int, counted bool) *localQueue[T] {
	q := &localQueue[T]{counted: counted, closed: make(chan struct{}), endless: size == 0}
	if q.endless {
		size = localRoom
	}
	q.ch = make(chan T, size)
	c, _ := newCell(Goroutines, cellSize) // goroutines' memory cannot fail
	q.left = *c
	return q
}

func (q *localQueue[T]) handle() ([]byte, error) { return q.left.encode("Queue") }

func (q *localQueue[T]) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ch) + len(q.rest)
}

func (q *localQueue[T]) close() {
	q.once.Do(func() {
		q.over.Store(true)
		close(q.closed)
	})
}

func (q *localQueue[T]) put(ctx context.Context, v T, wait bool) error {
	if q.over.Load() {
		return ErrClosed
	}
	if !q.counted {
		if !q.endless {
			select {
			case q.ch <- v:
				return nil
			default:
			}
		}
		return q.add(ctx, v, wait)
	}
	q.left.u32(0).Add(1)
	err := q.add(ctx, v, wait)
	if err != nil {
		_ = q.done()
	}
	return err
}

func (q *localQueue[T]) add(ctx context.Context, v T, wait bool) error {
	if q.endless {
		q.addEndless(v)
		return nil
	}
	select {
	case q.ch <- v:
		return nil
	default:
	}
	if !wait {
		return ErrFull
	}
	return q.addLater(ctx, v)
}

func (q *localQueue[T]) addEndless(v T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refillLocked()
	if len(q.rest) == 0 {
		select {
		case q.ch <- v:
			return
		default:
		}
	}
	q.rest = append(q.rest, v)
}

func (q *localQueue[T]) addLater(ctx context.Context, v T) error {
	runtime.Gosched() // a reader often makes much room at once
	select {
	case q.ch <- v:
		return nil
	default:
	}
	ctx, release := hosted(ctx)
	defer release()
	select {
	case q.ch <- v:
		return nil
	case <-q.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refillLocked moves what waits into the channel.
func (q *localQueue[T]) refillLocked() {
	for len(q.rest) > 0 {
		select {
		case q.ch <- q.rest[0]:
			q.rest = q.rest[1:]
		default:
			return
		}
	}
	q.rest = nil
}

func (q *localQueue[T]) getInto(ctx context.Context, v *T) error {
	got, _, err := q.get(ctx, true)
	if err == nil {
		*v = got
	}
	return err
}

func (q *localQueue[T]) get(ctx context.Context, wait bool) (v T, ok bool, err error) {
	select {
	case v = <-q.ch:
		q.taken()
		return v, true, nil
	default:
	}
	if !wait && !q.over.Load() {
		return v, false, nil
	}
	return q.getLater(ctx)
}

func (q *localQueue[T]) getLater(ctx context.Context) (v T, ok bool, err error) {
	runtime.Gosched() // a writer often puts much at once
	select {
	case v = <-q.ch:
		q.taken()
		return v, true, nil
	default:
	}
	ctx, release := hosted(ctx)
	defer release()
	select {
	case v = <-q.ch:
		q.taken()
		return v, true, nil
	case <-q.closed:
	case <-ctx.Done():
		return v, false, context.Cause(ctx)
	}
	select { // what was put before the end
	case v = <-q.ch:
		q.taken()
		return v, true, nil
	default:
		return v, false, ErrClosed
	}
}

// taken makes room for what waits. The channel is empty only if nothing does.
func (q *localQueue[T]) taken() {
	if q.endless {
		q.mu.Lock()
		q.refillLocked()
		q.mu.Unlock()
	}
}

func (q *localQueue[T]) done() error {
	for n := q.left.u32(0).Load(); ; n = q.left.u32(0).Load() {
		if n == 0 {
			return errTooDone
		}
		if q.left.u32(0).CompareAndSwap(n, n-1) {
			if n == 1 {
				q.left.wake(0, allWaiters)
			}
			return nil
		}
	}
}

func (q *localQueue[T]) join(ctx context.Context) error {
	for n := q.left.u32(0).Load(); n > 0; n = q.left.u32(0).Load() {
		if err := q.left.wait(ctx, 0, n, longWait); err != nil {
			return err
		}
	}
	return nil
}
