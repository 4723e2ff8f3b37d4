package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// A count holds the counters that two processes increment N times each.
type count struct {
	Lock   *mp.Mutex
	Value  *mp.Value[int]
	Stripe *mp.Counter
	N      int
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

func countStriped(c count) {
	for range c.N {
		c.Stripe.Add(1)
	}
}

func stripedCounter(ctx context.Context) (float64, error) {
	return counter(ctx, countStriped, 20_000_000)
}

func lockedCounter(ctx context.Context) (float64, error) { return counter(ctx, countLocked, 3_000_000) }

func atomicCounter(ctx context.Context) (float64, error) {
	return counter(ctx, countAtomic, 10_000_000)
}

func counter(ctx context.Context, fn func(count), n int) (float64, error) {
	lock, err := mp.NewMutex(mp.Processes)
	if err != nil {
		return 0, err
	}
	value, err := mp.NewValue(mp.Processes, 0)
	if err != nil {
		return 0, err
	}
	stripe, err := mp.NewCounter(mp.Processes)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	var procs []*mp.Process
	for range 2 {
		p, err := mp.Start(ctx, mp.Processes, fn, count{lock, value, stripe, n})
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
	if got := value.Load() + stripe.Load(); got != 2*n {
		return 0, fmt.Errorf("the counters have the sum %d after %d increments", got, 2*n)
	}
	return rate, nil
}

// bareAtomic is like atomicCounter, on goroutines and without the library.
func bareAtomic(context.Context) (float64, error) {
	var sum atomic.Int64
	return both(10_000_000, func() { sum.Add(1) }, sum.Load)
}

func localLock(context.Context) (float64, error) { return underLock(new(mp.Mutex)) }
func bareMutex(context.Context) (float64, error) { return underLock(new(sync.Mutex)) }

func underLock(l sync.Locker) (float64, error) {
	sum := int64(0)
	return both(3_000_000, func() {
		l.Lock()
		sum++
		l.Unlock()
	}, func() int64 { return sum })
}

// both runs two goroutines that call raise n times each, and checks the sum. It returns
// the number of calls per second.
func both(n int, raise func(), sum func() int64) (float64, error) {
	var all sync.WaitGroup
	begin := time.Now()
	for range 2 {
		all.Go(func() {
			for range n {
				raise()
			}
		})
	}
	all.Wait()
	rate := perSecond(2*n, begin)
	if got := sum(); got != int64(2*n) {
		return 0, fmt.Errorf("the counter is %d after %d increments", got, 2*n)
	}
	return rate, nil
}
