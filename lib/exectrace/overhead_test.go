//go:build unix

package exectrace_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
	"github.com/perijove/perijove/lib/mp"
)

func TestMain(m *testing.M) {
	mp.Init()
	os.Exit(m.Run())
}

// spin works for about d.
func spin(d time.Duration) int {
	n := 0
	for began := time.Now(); time.Since(began) < d; {
		for range 1000 {
			n++
		}
	}
	return n
}

// count does the same work each time, about 0.1 ms.
func count(n int) int {
	for i := range 200_000 {
		n ^= i * n
	}
	return n
}

// BenchmarkTraced measures a pool's tasks of about 0.1 ms with and without a recording:
// the processor time of all processes, which other programs disturb less than the time.
func BenchmarkTraced(b *testing.B) {
	for _, backend := range []mp.Backend{mp.Goroutines, mp.Processes} {
		for _, traced := range []bool{false, true} {
			b.Run(fmt.Sprintf("%v/traced=%v", backend, traced), func(b *testing.B) {
				before := processorTime()
				work := func() error {
					pool, err := mp.NewPool(backend, mp.Workers(2))
					if err != nil {
						return err
					}
					_, err = mp.Map[int](context.Background(), pool, count, make([]int, b.N))
					return errors.Join(err, pool.Close())
				}
				var err error
				if traced {
					err = mp.Trace(filepath.Join(b.TempDir(), "trace"), work)
				} else {
					err = work()
				}
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(processorTime()-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkRead records 4 processes with 1,000 tasks and reads the recording.
func BenchmarkRead(b *testing.B) {
	folder := filepath.Join(b.TempDir(), "trace")
	err := mp.Trace(folder, func() error {
		pool, err := mp.NewPool(mp.Processes, mp.Workers(4))
		if err != nil {
			return err
		}
		defer pool.Close()
		_, err = mp.Map[int](context.Background(), pool, spin, make([]time.Duration, 4000))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		t, err := exectrace.Read(folder)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(t.Events), "events")
	}
}
