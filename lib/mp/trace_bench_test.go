package mp_test

import (
	"context"
	"testing"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

func increment(x int) int { return x + 1 }

// BenchmarkUntraced measures calls that write events into a trace, when no trace is
// recorded: they only check for one.
func BenchmarkUntraced(b *testing.B) {
	b.Run("mutex", func(b *testing.B) {
		m := must.Get(mp.NewMutex(mp.Processes))
		n := 0
		for b.Loop() {
			m.Lock()
			n++
			m.Unlock()
		}
	})
	b.Run("queue", func(b *testing.B) {
		q := must.Get(mp.NewQueue[int](mp.Processes, 0))
		ctx := context.Background()
		for b.Loop() {
			must.Do(q.Put(ctx, 1))
			must.Get(q.Get(ctx))
		}
	})
	for _, backend := range []mp.Backend{mp.Goroutines, mp.Processes} {
		b.Run("task/"+backend.String(), func(b *testing.B) {
			pool := must.Get(mp.NewPool(backend, mp.Workers(1)))
			defer pool.Close()
			tasks := make([]int, 1_000_000)
			for b.Loop() {
				must.Get(mp.Map[int](context.Background(), pool, increment, tasks))
			}
		})
	}
}
