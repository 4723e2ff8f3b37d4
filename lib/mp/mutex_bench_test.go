package mp_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// BenchmarkMutex compares a Mutex for goroutines with a sync.Mutex, in alternate
// rounds: the throughput, and the 99.9th percentile of the time that Lock waits.
func BenchmarkMutex(b *testing.B) {
	for _, goroutines := range []int{1, 2, 4, 16} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			var own, other []float64
			var ownWait, otherWait []float64
			for b.Loop() {
				n, w := contend(new(mp.Mutex), goroutines)
				own, ownWait = append(own, n), append(ownWait, w)
				n, w = contend(new(sync.Mutex), goroutines)
				other, otherWait = append(other, n), append(otherWait, w)
			}
			b.ReportMetric(median(own)/median(other), "×sync.Mutex")
			b.ReportMetric(median(ownWait), "µs-p99.9")
			b.ReportMetric(median(otherWait), "µs-p99.9-sync")
			b.ReportMetric(median(ownWait)/max(median(otherWait), 0.001), "×p99.9")
		})
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// contend returns how often a lock is taken in a microsecond, and the 99.9th percentile
// of the waits in microseconds.
func contend(l sync.Locker, goroutines int) (rate, wait float64) {
	const total = 50_000
	var all sync.WaitGroup
	waits := make([][]time.Duration, goroutines)
	began := time.Now()
	for g := range goroutines {
		all.Go(func() {
			for i := range total / goroutines {
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
	took := time.Since(began)
	flat := slices.Concat(waits...)
	slices.Sort(flat)
	return float64(total) / float64(took.Microseconds()), float64(flat[len(flat)*999/1000].Nanoseconds()) / 1e3
}
