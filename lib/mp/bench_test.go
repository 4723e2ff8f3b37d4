package mp_test

import (
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if _, err := result(mp.Go[int](watchdog(b), mp.Processes, square, 7)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMap(b *testing.B) {
	for _, backend := range []mp.Backend{mp.Goroutines, mp.Processes} {
		b.Run(backend.String(), func(b *testing.B) {
			p := newPool(b, backend, mp.Workers(2))
			xs := upTo(1_000_000)
			for b.Loop() {
				if _, err := mp.Map[int](watchdog(b), p, square, xs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*1e6/b.Elapsed().Seconds()/1e6, "Mtasks/s")
		})
	}
}

func BenchmarkStream(b *testing.B) {
	for _, backend := range []mp.Backend{mp.Goroutines, mp.Processes} {
		b.Run(backend.String(), func(b *testing.B) {
			p := newPool(b, backend, mp.Workers(2))
			n := 0
			for _, err := range mp.StreamUnordered[int](watchdog(b), p, square, first(b.N)) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mtasks/s")
		})
	}
}

func BenchmarkSubmit(b *testing.B) {
	for _, backend := range []mp.Backend{mp.Goroutines, mp.Processes} {
		b.Run(backend.String(), func(b *testing.B) {
			p := newPool(b, backend, mp.Workers(2))
			ctx := watchdog(b)
			fs := make([]*mp.Future[int], b.N)
			for i := range fs {
				fs[i] = mp.Submit[int](ctx, p, square, i)
			}
			for _, f := range fs {
				if _, err := f.Result(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
