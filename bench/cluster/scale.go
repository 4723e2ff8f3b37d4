package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

// sleepTime is how long a task of the benchmark sleeps.
const sleepTime = 10 * time.Millisecond

func sleepy(x int) int {
	time.Sleep(sleepTime)
	return x
}

// compute calculates for some milliseconds.
func compute(steps int) uint64 {
	x := uint64(steps) | 1
	for range steps {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

// stepsPerTask returns the number of steps that compute makes in about 5 ms on this machine.
func stepsPerTask() int {
	const n = 10_000_000
	begin := time.Now()
	if compute(n) == 0 {
		panic("xorshift of an odd number is never zero")
	}
	return max(1, int(5*time.Millisecond*n/time.Since(begin)))
}

// scale measures 1 to 64 workers of one process with tasks that sleep and tasks that compute.
func scale(ctx context.Context, rounds int) error {
	steps, cores := stepsPerTask(), runtime.NumCPU()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "workers\tsleep %v, tasks per second\tof workers / %v\tcompute about 5 ms, tasks per second\ttimes one worker\n", sleepTime, sleepTime)
	one := 0.0
	for workers := 1; workers <= 64; workers *= 2 {
		sleeping, computing, err := scaleOne(ctx, workers, rounds, steps)
		if err != nil {
			return err
		}
		if workers == 1 {
			one = computing
		}
		fmt.Fprintf(w, "%d\t%.0f\t%.2f\t%.0f\t%.2f\n", workers, sleeping, sleeping*sleepTime.Seconds()/float64(workers), computing, computing/one)
	}
	fmt.Fprintf(w, "\nThis machine has %d cores: more than %d workers compute no faster on it. Tasks that sleep show what the pool and the server can distribute.\n", cores, cores)
	return w.Flush()
}

// scaleOne returns how many tasks that sleep, and how many that compute, some workers run per
// second. Both are medians.
func scaleOne(ctx context.Context, workers, rounds, steps int) (sleeping, computing float64, err error) {
	c, err := cluster.Open(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	if err := c.Workers(workers); err != nil {
		return 0, 0, err
	}
	p, err := c.Pool()
	if err != nil {
		return 0, 0, err
	}
	loads := make([]int, 100+20*min(workers, runtime.NumCPU()))
	for i := range loads {
		loads[i] = steps
	}
	if _, err := mp.Map[int](ctx, p, sleepy, make([]int, 4*workers)); err != nil { // starts the child processes
		return 0, 0, err
	}
	var slept, computed []float64
	for range rounds {
		begin, naps := time.Now(), make([]int, 100*workers)
		if _, err := mp.Map[int](ctx, p, sleepy, naps); err != nil {
			return 0, 0, err
		}
		slept = append(slept, float64(len(naps))/time.Since(begin).Seconds())
		begin = time.Now()
		if _, err := mp.Map[uint64](ctx, p, compute, loads); err != nil {
			return 0, 0, err
		}
		computed = append(computed, float64(len(loads))/time.Since(begin).Seconds())
	}
	return median(slept), median(computed), nil
}
