package cluster_test

import (
	"testing"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

func BenchmarkMap(b *testing.B) {
	p := newPool(b, open(b, 2))
	xs := upTo(20_000)
	if _, err := mp.Map[int](watchdog(b), p, square, xs); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := mp.Map[int](watchdog(b), p, square, xs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(xs)*b.N)/b.Elapsed().Seconds(), "tasks/s")
}

func BenchmarkInflight256(b *testing.B) {
	p := newPool(b, open(b, 2, cluster.Inflight(256)))
	xs := upTo(20_000)
	for b.Loop() {
		if _, err := mp.Map[int](watchdog(b), p, square, xs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(xs)*b.N)/b.Elapsed().Seconds(), "tasks/s")
}
