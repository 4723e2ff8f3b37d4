package mp_test

import (
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

func BenchmarkAdd(b *testing.B) {
	onEach := func(name string, add func()) {
		b.Run(name, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					add()
				}
			})
		})
	}
	v := made(mp.NewValue(mp.Processes, 0))
	onEach("Value", func() { mp.Add(v, 1) })
	c := made(mp.NewCounter(mp.Processes))
	onEach("Counter", func() { c.Add(1) })
}
