package mp_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

type stream[T any] struct {
	Queue *mp.Queue[T]
	Value T
	N     int
}

func pour(s stream[[]byte]) error {
	for range s.N {
		if err := s.Queue.Put(context.Background(), s.Value); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkQueueOfGoroutines compares a queue with a channel of the same size, in
// alternate rounds: it reports the median of the ratios.
func BenchmarkQueueOfGoroutines(b *testing.B) {
	for _, size := range []int{1, 4, 8, 16, 256} {
		for _, n := range []int{1, 2, 4, 8} {
			b.Run(fmt.Sprintf("size=%d/%dx%d", size, n, n), func(b *testing.B) {
				var ratios []float64
				for b.Loop() {
					q, c := made(mp.NewQueue[int](mp.Goroutines, size)), make(chan int, size)
					ctx := context.Background()
					own := traffic(n, func(i int) { _ = q.Put(ctx, i) }, func() { _, _ = q.Get(ctx) })
					other := traffic(n, func(i int) { c <- i }, func() { <-c })
					ratios = append(ratios, other.Seconds()/own.Seconds())
				}
				b.ReportMetric(median(ratios), "×channel")
			})
		}
	}
}

// traffic passes values from n goroutines to n others.
func traffic(n int, put func(int), get func()) time.Duration {
	const total = 30_000
	var all sync.WaitGroup
	began := time.Now()
	for range n {
		all.Go(func() {
			for i := range total / n {
				put(i)
			}
		})
		all.Go(func() {
			for range total / n {
				get()
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

func BenchmarkQueueOfLargeValues(b *testing.B) {
	q := made(mp.NewQueue[[]byte](mp.Processes, 0))
	p := made(mp.Start(watchdog(b), mp.Processes, pour, stream[[]byte]{q, make([]byte, 1<<20), b.N}))
	ctx := watchdog(b)
	b.SetBytes(1 << 20)
	for range b.N {
		if _, err := q.Get(ctx); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Join(watchdog(b)); err != nil {
		b.Fatal(err)
	}
}
func BenchmarkQueueInto(b *testing.B) {
	q := made(mp.NewQueue[[]byte](mp.Processes, 0))
	p := made(mp.Start(watchdog(b), mp.Processes, pour, stream[[]byte]{q, make([]byte, 1<<20), b.N}))
	ctx := watchdog(b)
	var v []byte
	b.SetBytes(1 << 20)
	for range b.N {
		if err := q.GetInto(ctx, &v); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Join(watchdog(b)); err != nil {
		b.Fatal(err)
	}
}
