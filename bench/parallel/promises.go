package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// A promise is a measure of this library alone, with a limit.
type promise struct {
	name, unit string
	limit      float64 // largest value that keeps the promise; 0 if there is no limit
	take       func(context.Context) (float64, error)
}

func promises() []promise {
	return []promise{
		{"start and join with 1 GiB of live heap, times that without", "×", 1.5, startWithHeap},
		{"1 GB in an Array, until a child has read it all", "ms", 0, arrayRead},
		{"1 GB copied once, for comparison", "ms", 0, arrayCopied},
		{"memory of a child that read 1 GB", "MB", 15, arrayMemory},
		{"memory of an idle worker", "MB", 15, idleMemory},
		{"worker killed, until its task fails", "ms", 10, workerKilled},
		{"owner of a lock killed, until another has it", "ms", 100, ownerKilled},
		{"parent killed, until its busy children are gone", "ms", 100, parentKilled},
	}
}

// promised reports whether the name of a promise contains the text in only.
func promised(only string) bool {
	return slices.ContainsFunc(promises(), func(p promise) bool { return strings.Contains(p.name, only) })
}

// limits measures, in several rounds, each promise whose name contains the text only.
func limits(ctx context.Context, rounds int, only string) ([]*limitResult, error) {
	var all []*limitResult
	for _, p := range promises() {
		if !strings.Contains(p.name, only) {
			continue
		}
		k := &limitResult{promise: p}
		for i := range rounds {
			fmt.Fprintf(os.Stderr, "\rround %d of %d: %-60s", i+1, rounds, p.name)
			v, err := p.take(ctx)
			if errors.Is(err, mp.ErrUnsupported) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("cannot measure %q: %w", p.name, err)
			}
			k.values = append(k.values, v)
		}
		if len(k.values) > 0 {
			all = append(all, k)
		}
	}
	return all, nil
}

// A limitResult holds the measured values of a promise, one for each round.
type limitResult struct {
	promise
	values []float64
}

// startWithHeap returns the ratio of the start times with and without a heap of 1 GiB.
// It measures both in one round, so that the load by other programs is similar.
func startWithHeap(ctx context.Context) (float64, error) {
	small, err := start(ctx)
	if err != nil {
		return 0, err
	}
	heap := make([]byte, 1<<30)
	for i := 0; i < len(heap); i += os.Getpagesize() {
		heap[i] = 1
	}
	large, err := start(ctx)
	if heap[0] != 1 {
		return 0, errors.New("the heap of this process changed while a child process was started")
	}
	return large / small, err
}

const gigabyte = 1_000_000_000

func filled() (*mp.Array[int64], error) {
	a, err := mp.NewArray[int64](mp.Processes, gigabyte/8)
	if err != nil {
		return nil, err
	}
	for i := range a.Slice() {
		a.Slice()[i] = int64(i)
	}
	return a, nil
}

func sumUp(a *mp.Array[int64]) int64 {
	var sum int64
	for _, v := range a.Slice() {
		sum += v
	}
	return sum
}

func arrayRead(ctx context.Context) (float64, error) {
	a, err := filled()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	call, err := mp.Go[int64](ctx, mp.Processes, sumUp, a)
	if err != nil {
		return 0, err
	}
	const n = gigabyte / 8
	sum, err := call.Result(ctx)
	if err == nil && sum != n*(n-1)/2 {
		err = fmt.Errorf("the child process computed the sum %d of the Array, not %d", sum, int64(n*(n-1)/2))
	}
	return time.Since(begin).Seconds() * 1e3, err
}

func arrayCopied(context.Context) (float64, error) {
	a, err := filled()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	b := append([]int64(nil), a.Slice()...)
	took := time.Since(begin).Seconds() * 1e3
	if b[len(b)-1] != int64(len(b)-1) {
		err = errors.New("the copy of the Array differs from the Array")
	}
	return took, err
}

func sumAndMemory(a *mp.Array[int64]) (float64, error) {
	if sumUp(a) == 1 {
		return 0, errors.New("the child process computed the sum 1 of the Array, which is wrong")
	}
	return anonymous(os.Getpid())
}

func arrayMemory(ctx context.Context) (float64, error) {
	a, err := filled()
	if err != nil {
		return 0, err
	}
	call, err := mp.Go[float64](ctx, mp.Processes, sumAndMemory, a)
	if err != nil {
		return 0, err
	}
	return call.Result(ctx)
}

// anonymous returns the anonymous resident memory of a process, in MB.
func anonymous(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, mp.ErrUnsupported
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kB, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kB * 1024 / 1e6, err
		}
	}
	return 0, err
}

func pidOf(int) int { return os.Getpid() }

// idleMemory returns the memory of the largest worker of a pool after some tasks, in MB.
func idleMemory(ctx context.Context) (float64, error) {
	pool, err := warmPool(ctx, mp.Processes)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	if _, err := mp.Map[int](ctx, pool, square, make([]int, 100_000)); err != nil {
		return 0, err
	}
	pids, err := mp.Map[int](ctx, pool, pidOf, make([]int, 100))
	var most float64
	for _, pid := range pids {
		mb, err := anonymous(pid)
		if err != nil {
			return 0, err
		}
		most = max(most, mb)
	}
	return most, err
}
