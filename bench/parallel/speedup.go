package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// work computes n steps. For n of 30 million it takes about 50 ms.
func work(n int) int {
	x := uint64(1)
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return int(x)
}

func tasksOf50ms() []int {
	sizes := make([]int, 16)
	for i := range sizes {
		sizes[i] = 30_000_000
	}
	return sizes
}

// speedup returns a function that measures the speedup of two workers over the mean of
// two serial runs, one before and one after.
func speedup(b mp.Backend) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		pool, err := warmPool(ctx, b)
		if err != nil {
			return 0, err
		}
		defer pool.Close()
		sizes := tasksOf50ms()
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
		fmt.Println() // uses the sum, so that the compiler keeps the work
	}
	return time.Since(begin)
}

// A share is the processor time that one task took in a worker.
type share struct {
	Worker  int
	Seconds float64
	Sum     int
}

func timedWork(n int) share {
	begin := ownTime()
	sum := work(n)
	return share{os.Getpid(), ownTime() - begin, sum}
}

// speedupOfTime returns the speedup that cores without other load would give: the
// processor time of a serial run divided by that of the worker that used most. The load
// by other programs does not count.
func speedupOfTime(ctx context.Context) (float64, error) {
	pool, err := warmPool(ctx, mp.Processes)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	before := ownTime()
	serial(tasksOf50ms())
	alone := ownTime() - before
	shares, err := mp.Map[share](ctx, pool, timedWork, tasksOf50ms())
	if err != nil {
		return 0, err
	}
	sums := map[int]float64{}
	var longest float64
	for _, s := range shares {
		sums[s.Worker] += s.Seconds
		longest = max(longest, sums[s.Worker])
	}
	return alone / longest, nil
}
