package main

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// A measure is one row of the table: the same work by this library and by
// Python's multiprocessing, or by plain Go where base is set.
type measure struct {
	name   string
	unit   string // of what both sides return
	less   bool   // less is better: ratios are turned over
	goal   float64
	ours   func(context.Context) (float64, error)
	python string // measure of parallel.py
	base   func(context.Context) (float64, error)
}

func measures() []measure {
	return []measure{
		{name: "start and join, against spawn", unit: "ms", less: true, goal: 10, ours: start, python: "start-spawn"},
		{name: "start and join, against forkserver", unit: "ms", less: true, ours: start, python: "start-forkserver"},
		{name: "start and join, against fork", unit: "ms", less: true, ours: start, python: "start-fork"},
		{name: "tiny tasks, numbers", unit: "tasks/s", goal: 30, ours: tinyNumbers, python: "tiny"},
		{name: "tiny tasks, text", unit: "tasks/s", goal: 10, ours: tinyTexts, python: "tiny-text"},
		{name: "bulk map", unit: "tasks/s", goal: 5, ours: bulk, python: "bulk"},
		{name: "pipe round trip", unit: "µs", less: true, goal: 1.5, ours: roundTrip, python: "pipe"},
		{name: "queue, numbers", unit: "values/s", goal: 8, ours: queueNumbers, python: "queue"},
		{name: "queue, 1 MB", unit: "values/s", goal: 3, ours: queueLarge, python: "queue-1MB"},
		{name: "queue, 1 MB, into the same memory", unit: "values/s", ours: queueInto, python: "queue-1MB"},
		{name: "locked counter", unit: "counts/s", goal: 15, ours: lockedCounter, python: "counter"},
		{name: "atomic counter (Value), each with its sum", unit: "counts/s", ours: atomicCounter, python: "counter"},
		{name: "atomic counter (Counter)", unit: "counts/s", goal: 50, ours: stripedCounter, python: "counter"},
		{name: "2 workers on 50 ms tasks, speedup", unit: "×", ours: speedup(mp.Processes), python: "cpu"},
		{name: "the same on goroutines, against processes", unit: "×", ours: speedup(mp.Goroutines), base: speedup(mp.Processes)},
		{name: "pool of goroutines, against bare ones", unit: "tasks/s", goal: 0.9, ours: poolOfGoroutines, base: bareGoroutines},
		{name: "queue of goroutines, against a channel", unit: "values/s", goal: 0.9, ours: localQueue, base: channel},
	}
}

func nothing(mp.None)          {}
func square(x int) int         { return x * x }
func spell(word string) string { return word + "!" }

// work computes for about 50 ms where n is 30 million.
func work(n int) int {
	x := uint64(1)
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return int(x)
}

func perSecond(n int, begin time.Time) float64 { return float64(n) / time.Since(begin).Seconds() }

func start(ctx context.Context) (float64, error) {
	const n = 20
	begin := time.Now()
	for range n {
		p, err := mp.Start(ctx, mp.Processes, nothing, mp.None{})
		if err == nil {
			err = p.Join(ctx)
		}
		if err != nil {
			return 0, err
		}
	}
	return time.Since(begin).Seconds() / n * 1e3, nil
}

func repeat[T any](n int, v T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for range n {
			if !yield(v) {
				return
			}
		}
	}
}

func tinyNumbers(ctx context.Context) (float64, error) { return tiny(ctx, square, 7) }
func tinyTexts(ctx context.Context) (float64, error)   { return tiny(ctx, spell, "word") }

// tiny streams the same small task many times, each a task of its own.
func tiny[T any](ctx context.Context, fn func(T) T, arg T) (float64, error) {
	const n = 2_000_000
	pool, err := warmPool(ctx, mp.Processes)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	done := 0
	begin := time.Now()
	for _, err := range mp.StreamUnordered[T](ctx, pool, fn, repeat(n, arg)) {
		if err != nil {
			return 0, err
		}
		done++
	}
	return perSecond(done, begin), nil
}

func warmPool(ctx context.Context, b mp.Backend) (*mp.Pool, error) {
	pool, err := mp.NewPool(b, mp.Workers(2))
	if err != nil {
		return nil, err
	}
	_, err = mp.Map[int](ctx, pool, square, make([]int, 4))
	return pool, err
}

func bulk(ctx context.Context) (float64, error) {
	pool, err := warmPool(ctx, mp.Processes)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	xs := make([]int, 5_000_000)
	begin := time.Now()
	_, err = mp.Map[int](ctx, pool, square, xs)
	return perSecond(len(xs), begin), err
}

func echo(ctx context.Context, c *mp.Conn[int]) error {
	for {
		v, err := c.Recv(ctx)
		if err != nil || v < 0 {
			return err
		}
		if err := c.Send(v); err != nil {
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
			if err := mine.Send(i); err != nil {
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
		err = mine.Send(-1)
	}
	if err == nil {
		err = p.Join(ctx)
	}
	return took, err
}

// A load is how much one process puts into a queue.
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
	return throughQueue(ctx, mp.Processes, putNumbers, 7, 2_000_000, 0)
}

func queueLarge(ctx context.Context) (float64, error) {
	return throughQueue(ctx, mp.Processes, putLarge, make([]byte, 1<<20), 1000, 0)
}

func localQueue(ctx context.Context) (float64, error) {
	return throughQueue(ctx, mp.Goroutines, putNumbers, 7, 3_000_000, 128)
}

func throughQueue[T any](ctx context.Context, b mp.Backend, fn func(context.Context, load[T]) error, v T, n, size int) (float64, error) {
	q, err := mp.NewQueue[T](b, size)
	if err != nil {
		return 0, err
	}
	p, err := mp.Start(ctx, b, fn, load[T]{q, v, n})
	if err != nil {
		return 0, err
	}
	if _, err := q.Get(ctx); err != nil {
		return 0, err
	}
	begin := time.Now()
	for range n - 1 {
		if _, err := q.Get(ctx); err != nil {
			return 0, err
		}
	}
	rate := perSecond(n-1, begin)
	return rate, p.Join(ctx)
}

// A count is what two processes raise.
type count struct {
	Lock  *mp.Lock
	Value *mp.Value[int]
	N     int
}

func countLocked(c count) {
	for range c.N {
		c.Lock.Lock()
		c.Value.Store(c.Value.Load() + 1)
		c.Lock.Unlock()
	}
}

func countAtomic(c count) {
	for range c.N {
		mp.Add(c.Value, 1)
	}
}

func lockedCounter(ctx context.Context) (float64, error) { return counter(ctx, countLocked, 1_000_000) }

func atomicCounter(ctx context.Context) (float64, error) {
	return counter(ctx, countAtomic, 10_000_000)
}

func counter(ctx context.Context, fn func(count), n int) (float64, error) {
	lock, err := mp.NewLock(mp.Processes)
	if err != nil {
		return 0, err
	}
	value, err := mp.NewValue(mp.Processes, 0)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	var procs []*mp.Process
	for range 2 {
		p, err := mp.Start(ctx, mp.Processes, fn, count{lock, value, n})
		if err != nil {
			return 0, err
		}
		procs = append(procs, p)
	}
	for _, p := range procs {
		if err := p.Join(ctx); err != nil {
			return 0, err
		}
	}
	rate := perSecond(2*n, begin)
	if value.Load() != 2*n {
		return 0, fmt.Errorf("counted %d, want %d", value.Load(), 2*n)
	}
	return rate, nil
}

// speedup is how much faster two workers are than none, with a serial baseline
// before and after.
func speedup(b mp.Backend) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		pool, err := warmPool(ctx, b)
		if err != nil {
			return 0, err
		}
		defer pool.Close()
		sizes := make([]int, 16)
		for i := range sizes {
			sizes[i] = 30_000_000
		}
		alone := serial(sizes)
		begin := time.Now()
		if _, err := mp.Map[int](ctx, pool, work, sizes); err != nil {
			return 0, err
		}
		took := time.Since(begin)
		alone += serial(sizes)
		return alone.Seconds() / 2 / took.Seconds(), nil
	}
}

func serial(sizes []int) time.Duration {
	begin := time.Now()
	sum := 0
	for _, n := range sizes {
		sum += work(n)
	}
	if sum == 1 {
		fmt.Println() // so that the work is not dropped
	}
	return time.Since(begin)
}

const smallTask = 3000 // steps of work: some microseconds

func poolOfGoroutines(ctx context.Context) (float64, error) {
	pool, err := warmPool(ctx, mp.Goroutines)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	xs := make([]int, 100_000)
	for i := range xs {
		xs[i] = smallTask
	}
	begin := time.Now()
	_, err = mp.Map[int](ctx, pool, work, xs)
	return perSecond(len(xs), begin), err
}

func bareGoroutines(context.Context) (float64, error) {
	xs, ys := make([]int, 100_000), make([]int, 100_000)
	begin := time.Now()
	var all sync.WaitGroup
	places := make(chan int, 128)
	for range 2 {
		all.Go(func() {
			for i := range places {
				ys[i] = work(smallTask + xs[i])
			}
		})
	}
	for i := range xs {
		places <- i
	}
	close(places)
	all.Wait()
	return perSecond(len(xs), begin), nil
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
