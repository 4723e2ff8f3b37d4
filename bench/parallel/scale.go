package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/internal/procfs"
	"github.com/perijove/perijove/lib/mp"
)

// A scaling is a measure that is taken with several numbers of workers.
type scaling struct {
	name, unit string
	want       string              // goal, as text
	counts     []int               // numbers of workers, or of pairs of them
	cores      func(count int) int // returns the number of cores that it needs
	take       func(ctx context.Context, count int) (float64, error)
}

func oneTask(n int) int { return n }
func twice(n int) int   { return 2 * n }

// countsUpTo returns the powers of two up to the number of cores, but at least up to
// 16, and the number of cores itself if that is larger.
func countsUpTo(cores int) []int {
	var counts []int
	for n := 1; n <= max(16, cores); n *= 2 {
		counts = append(counts, n)
	}
	if cores > 16 && counts[len(counts)-1] != cores {
		counts = append(counts, cores)
	}
	return counts
}

// scalings returns the rows of the table, in order. An entry of the table has in
// parentheses its ratio to the value with one worker in the same round.
func scalings(workerCounts []int) []scaling {
	var rows []scaling
	for _, b := range []mp.Backend{mp.Goroutines, mp.Processes} {
		rows = append(rows,
			scaling{"CPU-bound, " + b.String(), "tasks/s", "16: 15.8 × of 1", workerCounts, oneTask, pooled(b, cpuBound)},
			scaling{"memory-bound sum, " + b.String(), "GB/s", "16: 11 × of 1", workerCounts, oneTask, pooled(b, memoryBound)},
			scaling{"shared Array, first sum in each process, " + b.String(), "GB/s", "", workerCounts, oneTask, pooled(b, sumFirst)},
			scaling{"shared Array, summed again, " + b.String(), "GB/s", "16: 11 × of 1", workerCounts, oneTask, pooled(b, sumAgain)},
			scaling{"StreamUnordered of tiny tasks, " + b.String(), "M/s", "≥ 15, not falling", workerCounts, oneTask, pooled(b, streamTiny)},
			scaling{"Map of tiny tasks, " + b.String(), "M/s", "not falling", workerCounts, oneTask, pooled(b, mapTiny)})
	}
	pairs := []int{1, 2, 4, 8}
	for _, size := range []int{1, 4, 16, 256} {
		rows = append(rows, scaling{fmt.Sprintf("queue of goroutines for %d, n×n, against a channel", size), "×", "≥ 0.95", pairs, twice, queueAgainstChannel(size)})
	}
	return append(rows,
		scaling{"queue of processes, n×n", "M/s", "≥ 3, not falling", pairs, twice, queueOfProcesses},
		scaling{"Mutex of goroutines, against a sync.Mutex", "×", "≥ 0.9", workerCounts, oneTask, mutexSpeed},
		scaling{"its p99.9 wait, against a sync.Mutex's", "×", "≤ 1", workerCounts, oneTask, mutexWait},
		scaling{"a child, start to result", "ms", "", workerCounts[:1], oneTask, childStart})
}

// pooled returns a measure that calls f with a pool whose workers have started.
func pooled(b mp.Backend, f func(context.Context, *mp.Pool, int) (float64, error)) func(context.Context, int) (float64, error) {
	return func(ctx context.Context, n int) (float64, error) {
		pool, err := mp.NewPool(b, mp.Workers(n))
		if err != nil {
			return 0, err
		}
		defer pool.Kill()
		if _, err := mp.Map[int](ctx, pool, square, make([]int, 100*n)); err != nil {
			return 0, err
		}
		return f(ctx, pool, n)
	}
}

func cpuBound(ctx context.Context, p *mp.Pool, n int) (float64, error) {
	sizes := slices.Repeat([]int{30_000_000}, 4*n)
	begin := time.Now()
	_, err := mp.Map[int](ctx, p, work, sizes)
	return float64(len(sizes)) / time.Since(begin).Seconds(), err
}

// sumSize is a number of bytes larger than the caches of a core.
const sumSize = 32 << 20

// sumOwn writes to private memory and then sums it. It returns the time of the sums, in
// nanoseconds.
func sumOwn(int) int {
	xs := make([]uint64, sumSize/8)
	for i := range xs {
		xs[i] = uint64(i)
	}
	begin := time.Now()
	total := uint64(0)
	for range sumTurns {
		for _, x := range xs {
			total += x
		}
	}
	if total == 1 {
		fmt.Println() // uses the sum, so that the compiler keeps the work
	}
	return int(time.Since(begin))
}

const sumTurns = 10

// memoryBound returns the total bandwidth of n concurrent tasks in GB/s.
func memoryBound(ctx context.Context, p *mp.Pool, n int) (float64, error) {
	took, err := mp.Map[int](ctx, p, sumOwn, make([]int, n))
	sum := 0.0
	for _, t := range took {
		sum += sumTurns * sumSize / float64(t)
	}
	return sum, err
}

func streamTiny(ctx context.Context, p *mp.Pool, _ int) (float64, error) {
	const n = 2_000_000
	begin := time.Now()
	for _, err := range mp.StreamUnordered[int](ctx, p, square, repeat(n, 1)) {
		if err != nil {
			return 0, err
		}
	}
	return perSecond(n, begin) / 1e6, nil
}

func mapTiny(ctx context.Context, p *mp.Pool, _ int) (float64, error) {
	xs := make([]int, 5_000_000)
	begin := time.Now()
	_, err := mp.Map[int](ctx, p, square, xs)
	return perSecond(len(xs), begin) / 1e6, err
}

const (
	queuedEach = 400_000
	queueSize  = 1024
)

// passAll runs n goroutines that put values and n that take them, and returns how long
// they took.
func passAll(n int, put func(int), take func()) time.Duration {
	begin := time.Now()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for i := range queuedEach {
				put(i)
			}
		})
		all.Go(func() {
			for range queuedEach {
				take()
			}
		})
	}
	all.Wait()
	return time.Since(begin)
}

// queueAgainstChannel compares a queue with a channel of the same size. The calls of the
// queue have no deadline, like operations on a channel.
func queueAgainstChannel(size int) func(context.Context, int) (float64, error) {
	return func(ctx context.Context, n int) (float64, error) {
		q, err := mp.NewQueue[int](mp.Goroutines, size)
		if err != nil {
			return 0, err
		}
		c, forever := make(chan int, size), context.Background()
		ours := passAll(n, func(i int) { _ = q.Put(forever, i) }, func() { _, _ = q.Get(forever) })
		theirs := passAll(n, func(i int) { c <- i }, func() { <-c })
		return theirs.Seconds() / ours.Seconds(), ctx.Err()
	}
}

func putEach(ctx context.Context, q *mp.Queue[int]) error {
	for i := range queuedEach {
		if err := q.Put(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func takeEach(ctx context.Context, q *mp.Queue[int]) error {
	for range queuedEach {
		if _, err := q.Get(ctx); err != nil {
			return err
		}
	}
	return nil
}

func queueOfProcesses(ctx context.Context, n int) (float64, error) {
	q, err := mp.NewQueue[int](mp.Processes, queueSize)
	if err != nil {
		return 0, err
	}
	defer q.Close()
	g, err := mp.NewGroup(ctx, mp.Processes)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	for range n {
		mp.StartIn(g, putEach, q)
		mp.StartIn(g, takeEach, q)
	}
	err = g.Wait(ctx)
	return perSecond(n*queuedEach, begin) / 1e6, err
}

// scale measures every row with the worker counts for which the machine has enough
// cores, and prints the medians.
func scale(ctx context.Context, rounds int, only string) error {
	cores := mp.Cores()
	counts := countsUpTo(cores)
	rows := slices.DeleteFunc(scalings(counts), func(r scaling) bool { return !strings.Contains(r.name, only) })
	if rounds < 1 || len(rows) == 0 {
		return fmt.Errorf("there is nothing to measure: -rounds is %d, and -only %q selects %d measures; both numbers must be at least 1", rounds, only, len(rows))
	}
	var points []point
	for i, r := range rows {
		for _, n := range r.counts {
			if r.cores(n) <= cores {
				points = append(points, point{i, n})
			}
		}
	}
	before := procfs.ReadLoad(proc)
	got, err := measureAll(ctx, rows, points, rounds)
	if err != nil {
		return err
	}
	if err := printScale(rows, counts, got); err != nil {
		return err
	}
	fmt.Printf("\nMedians of %d rounds in random order, %d cores, other programs took %.1f cores.\n", rounds, cores, procfs.ForeignCores(before, procfs.ReadLoad(proc)))
	if missing := unmeasured(rows, cores); missing != "" {
		fmt.Printf("Not measured, \"–\", since this machine has %d cores: %s.\n", cores, missing)
	}
	return nil
}

// A point is a row of the table with a worker count.
type point struct{ row, count int }

// measureAll measures all points in each round, in random order.
func measureAll(ctx context.Context, rows []scaling, points []point, rounds int) (map[point][]float64, error) {
	got := make(map[point][]float64)
	for i := range rounds {
		for _, k := range rand.Perm(len(points)) {
			p := points[k]
			fmt.Fprintf(os.Stderr, "\rround %d of %d: %-60s", i+1, rounds, rows[p.row].name)
			v, err := rows[p.row].take(ctx, p.count)
			if err != nil {
				return nil, fmt.Errorf("cannot measure %q with %d workers: %w", rows[p.row].name, p.count, err)
			}
			got[p] = append(got[p], v)
		}
	}
	fmt.Fprintf(os.Stderr, "\r%90s\r", "")
	return got, nil
}
