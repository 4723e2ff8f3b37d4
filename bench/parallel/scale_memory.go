package main

import (
	"context"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// arraySize is the size of a shared Array in bytes.
const arraySize = 256 << 20

// An arrayPart is the part of an Array that one worker sums.
type arrayPart struct {
	Array    *mp.Array[uint64]
	From, To int
}

// sumTwice sums a part twice and returns the times in nanoseconds. The first time
// includes the page faults of a process that has not used the memory before.
func sumTwice(p arrayPart) [2]int {
	var took [2]int
	xs := p.Array.Slice()[p.From:p.To]
	for i := range took {
		begin := time.Now()
		total := uint64(0)
		for _, x := range xs {
			total += x
		}
		took[i] = int(time.Since(begin))
		if total == 1 {
			took[i]++ // uses the sum, so that the compiler keeps the work
		}
	}
	return took
}

func sumFirst(ctx context.Context, p *mp.Pool, n int) (float64, error) {
	return sumShared(ctx, p, n, 0)
}
func sumAgain(ctx context.Context, p *mp.Pool, n int) (float64, error) {
	return sumShared(ctx, p, n, 1)
}

// sumShared runs n workers that each sum a part of an Array. It returns their total
// bandwidth in the first pass (0) or second pass (1), in GB/s.
func sumShared(ctx context.Context, p *mp.Pool, n, pass int) (float64, error) {
	a, err := mp.NewArray[uint64](mp.Processes, arraySize/8)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	xs := a.Slice()
	for i := range xs {
		xs[i] = uint64(i)
	}
	parts := make([]arrayPart, n)
	for i := range parts {
		parts[i] = arrayPart{a, i * len(xs) / n, (i + 1) * len(xs) / n}
	}
	took, err := mp.Map[[2]int](ctx, p, sumTwice, parts)
	sum := 0.0
	for i, t := range took {
		sum += float64(8*(parts[i].To-parts[i].From)) / float64(t[pass])
	}
	return sum, err
}

// childStart returns the mean time from the start of a child to its result, in
// milliseconds.
func childStart(ctx context.Context, _ int) (float64, error) {
	const n = 20
	begin := time.Now()
	for i := range n {
		future, err := mp.Go[int](ctx, mp.Processes, square, i)
		if err == nil {
			_, err = future.Result(ctx)
		}
		if err != nil {
			return 0, err
		}
	}
	return time.Since(begin).Seconds() * 1e3 / n, nil
}
