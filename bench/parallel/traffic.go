package main

import (
	"context"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func echo(ctx context.Context, c *mp.Conn[int]) error {
	for {
		v, err := c.Recv(ctx)
		if err != nil || v < 0 {
			return err
		}
		if err := c.Send(ctx, v); err != nil {
			return err
		}
	}
}

func roundTrip(ctx context.Context) (float64, error) {
	const n = 20_000
	mine, its, err := mp.NewPipe[int](mp.Processes)
	if err != nil {
		return 0, err
	}
	p, err := mp.Start(ctx, mp.Processes, echo, its)
	if err != nil {
		return 0, err
	}
	trips := func(n int) error {
		for i := range n {
			if err := mine.Send(ctx, i); err != nil {
				return err
			}
			if _, err := mine.Recv(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	if err := trips(100); err != nil {
		return 0, err
	}
	begin := time.Now()
	err = trips(n)
	took := time.Since(begin).Seconds() / n * 1e6
	if err == nil {
		err = mine.Send(ctx, -1)
	}
	if err == nil {
		err = p.Join(ctx)
	}
	return took, err
}

// A load tells a process which value to put into a queue, and how many times.
type load[T any] struct {
	Queue *mp.Queue[T]
	Value T
	N     int
}

func put[T any](ctx context.Context, l load[T]) error {
	for range l.N {
		if err := l.Queue.Put(ctx, l.Value); err != nil {
			return err
		}
	}
	return nil
}

func putNumbers(ctx context.Context, l load[int]) error  { return put(ctx, l) }
func putLarge(ctx context.Context, l load[[]byte]) error { return put(ctx, l) }

func queueNumbers(ctx context.Context) (float64, error) {
	return throughQueue(ctx, mp.Processes, putNumbers, 7, 2_000_000, 0, nil)
}

// queueInto is like queueLarge with a reader that reuses its memory.
func queueInto(ctx context.Context) (float64, error) {
	var v []byte
	get := func(q *mp.Queue[[]byte]) error { return q.GetInto(ctx, &v) }
	return throughQueue(ctx, mp.Processes, putLarge, make([]byte, 1<<20), 1000, 0, get)
}

func queueLarge(ctx context.Context) (float64, error) {
	return throughQueue(ctx, mp.Processes, putLarge, make([]byte, 1<<20), 1000, 0, nil)
}

func localQueue(ctx context.Context) (float64, error) {
	return throughQueue(ctx, mp.Goroutines, putNumbers, 7, 3_000_000, 128, nil)
}

func endlessQueue(ctx context.Context) (float64, error) {
	return throughQueue(ctx, mp.Goroutines, putNumbers, 7, 3_000_000, 0, nil)
}

func throughQueue[T any](ctx context.Context, b mp.Backend, fn func(context.Context, load[T]) error, v T, n, size int, get func(*mp.Queue[T]) error) (float64, error) {
	q, err := mp.NewQueue[T](b, size)
	if err != nil {
		return 0, err
	}
	p, err := mp.Start(ctx, b, fn, load[T]{q, v, n})
	if err != nil {
		return 0, err
	}
	if get == nil {
		get = func(q *mp.Queue[T]) error { _, err := q.Get(ctx); return err }
	}
	if err := get(q); err != nil {
		return 0, err
	}
	begin := time.Now()
	for range n - 1 {
		if err := get(q); err != nil {
			return 0, err
		}
	}
	rate := perSecond(n-1, begin)
	return rate, p.Join(ctx)
}

func channel(context.Context) (float64, error) {
	const n = 3_000_000
	ch := make(chan int, 128)
	go func() {
		for range n {
			ch <- 7
		}
	}()
	<-ch
	begin := time.Now()
	for range n - 1 {
		<-ch
	}
	return perSecond(n-1, begin), nil
}
