package main

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// A measure is one row of the table: the same work done by this library and by Python's
// multiprocessing, or by plain Go if base is set.
type measure struct {
	name   string
	unit   string  // unit of the results of both sides
	less   bool    // smaller results are better, so the ratio is inverted
	goal   float64 // smallest ratio that meets the goal; 0 if there is none
	reach  float64 // smallest result of this library that meets the goal, if goal is 0
	ours   func(context.Context) (float64, error)
	python string // name of the measure in parallel.py
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
		{name: "atomic counter (Value)", unit: "counts/s", ours: atomicCounter, python: "counter"},
		{name: "atomic counter (Value), against sync/atomic", unit: "counts/s", ours: atomicCounter, base: bareAtomic},
		{name: "atomic counter (Counter)", unit: "counts/s", goal: 50, ours: stripedCounter, python: "counter"},
		{name: "2 workers on 50 ms tasks, speedup", unit: "×", reach: 1.9, ours: speedup(mp.Processes), python: "cpu"},
		{name: "2 workers on 50 ms tasks, by processor time", unit: "×", reach: 1.9, ours: speedupOfTime, python: "cpu-time"},
		{name: "2 goroutines on 50 ms tasks, against processes", unit: "×", ours: speedup(mp.Goroutines), base: speedup(mp.Processes)},
		{name: "pool of goroutines, against bare ones", unit: "tasks/s", goal: 0.9, ours: poolOfGoroutines, base: bareGoroutines},
		{name: "queue of goroutines, against a channel", unit: "values/s", goal: 0.9, ours: localQueue, base: channel},
		{name: "unlimited queue of goroutines, against a channel", unit: "values/s", goal: 0.9, ours: endlessQueue, base: channel},
		{name: "lock of goroutines, against sync.Mutex", unit: "counts/s", ours: localLock, base: bareMutex},
	}
}

func emptyTask(mp.None)        {}
func square(x int) int         { return x * x }
func spell(word string) string { return word + "!" }

func perSecond(n int, begin time.Time) float64 { return float64(n) / time.Since(begin).Seconds() }

func start(ctx context.Context) (float64, error) {
	const n = 20
	begin := time.Now()
	for range n {
		p, err := mp.Start(ctx, mp.Processes, emptyTask, mp.None{})
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

// tiny streams many calls of the same small function and returns tasks per second.
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

const smallTask = 3000 // argument of work for a few microseconds

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
