package mp_test

import (
	"fmt"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

func BenchmarkStreamUnordered(b *testing.B) {
	for _, backend := range []mp.Backend{mp.Goroutines, mp.Processes} {
		for _, workers := range []int{1, 2, 4, 8, 16} {
			b.Run(fmt.Sprint(backend, "-", workers), func(b *testing.B) {
				p := newPool(b, backend, mp.Workers(workers))
				b.ResetTimer()
				sum := 0
				for y, err := range mp.StreamUnordered[int](b.Context(), p, identity, first(b.N)) {
					if err != nil {
						b.Fatal(err)
					}
					sum += y
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
			})
		}
	}
}
