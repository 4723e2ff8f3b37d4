package mp_test

import (
	"sync"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// A Mutex of goroutines beside a sync.Mutex.
func BenchmarkMutex(b *testing.B) {
	for _, l := range []struct {
		name string
		sync.Locker
	}{{"mp", new(mp.Mutex)}, {"sync", new(sync.Mutex)}} {
		b.Run(l.name, func(b *testing.B) {
			for b.Loop() {
				l.Lock()
				l.Unlock()
			}
		})
		b.Run(l.name+"-contended", func(b *testing.B) {
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					l.Lock()
					l.Unlock()
				}
			})
		})
	}
}
