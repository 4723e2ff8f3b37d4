package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// lockTurns is the number of times that all goroutines together lock a lock in one run.
const lockTurns = 400_000

// contend runs n goroutines that lock and unlock l. It returns how long they took, and
// the 99.9th percentile of the time that Lock took. It measures one Lock in 16.
func contend(l sync.Locker, n int) (took, wait time.Duration) {
	var all sync.WaitGroup
	waits := make([][]time.Duration, n)
	begin := time.Now()
	for g := range n {
		all.Go(func() {
			for i := range lockTurns / n {
				if i%16 == 0 {
					t := time.Now()
					l.Lock()
					waits[g] = append(waits[g], time.Since(t))
				} else {
					l.Lock()
				}
				l.Unlock()
			}
		})
	}
	all.Wait()
	took = time.Since(begin)
	flat := slices.Concat(waits...)
	slices.Sort(flat)
	return took, flat[len(flat)*999/1000]
}

// lockPairs is the number of comparisons of the two locks; a measured value is the median of
// these comparisons.
const lockPairs = 11

func mutexSpeed(ctx context.Context, n int) (float64, error) {
	var ratios []float64
	for range lockPairs {
		ours, _ := contend(new(mp.Mutex), n)
		theirs, _ := contend(new(sync.Mutex), n)
		ratios = append(ratios, theirs.Seconds()/ours.Seconds())
	}
	return median(ratios), ctx.Err()
}

func mutexWait(ctx context.Context, n int) (float64, error) {
	var ratios []float64
	for range lockPairs {
		_, ours := contend(new(mp.Mutex), n)
		_, theirs := contend(new(sync.Mutex), n)
		ratios = append(ratios, float64(ours)/max(float64(theirs), 1))
	}
	return median(ratios), ctx.Err()
}
