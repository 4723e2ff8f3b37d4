package mp_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// A guardedJob has a guarded object for each kind of lock.
type guardedJob struct {
	Plain   *mp.Mutex
	Many    *mp.RWMutex
	Nested  *mp.ReentrantMutex
	Sums    *mp.Array[int]
	Table   *mp.Array[int]
	Pairs   *mp.Value[triple]
	Counter *mp.Value[int]
	Free    *mp.Array[int] // without a guard
}

func newGuardedJob(t testing.TB, b mp.Backend) *guardedJob {
	t.Helper()
	j := &guardedJob{}
	var errs [8]error
	j.Plain, errs[0] = mp.NewMutex(b)
	j.Many, errs[1] = mp.NewRWMutex(b)
	j.Nested, errs[2] = mp.NewReentrantMutex(b)
	j.Sums, errs[3] = mp.NewArray[int](b, 4)
	j.Table, errs[4] = mp.NewArray[int](b, 4)
	j.Pairs, errs[5] = mp.NewValue(b, triple{})
	j.Counter, errs[6] = mp.NewValue(b, 0)
	j.Free, errs[7] = mp.NewArray[int](b, 4)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	j.Sums.GuardedBy(j.Plain)
	j.Counter.GuardedBy(j.Plain)
	j.Table.GuardedBy(j.Many)
	j.Pairs.GuardedBy(j.Nested)
	return j
}

// useWithLocks uses every object with its lock, taken in every way.
func useWithLocks(ctx context.Context, j *guardedJob) error {
	for i := range 200 {
		j.Plain.Lock()
		j.Sums.Set(i%4, j.Sums.At(i%4)+1)
		mp.Add(j.Counter, 1)
		j.Plain.Unlock()
		if err := j.Plain.LockContext(ctx); err != nil {
			return err
		}
		for range j.Sums.All() {
			j.Counter.Update(func(n int) int { return n + 1 })
		}
		j.Plain.Unlock()
		if j.Plain.TryLock() {
			j.Counter.Store(j.Counter.Load())
			j.Plain.Unlock()
		}
		j.Many.Lock()
		j.Table.Set(0, j.Table.At(0)+1)
		j.Many.Unlock()
		j.Many.RLock()
		j.Table.At(0)
		if j.Many.TryRLock() {
			j.Table.At(1)
			j.Many.RUnlock()
		}
		j.Table.At(2)
		j.Many.RUnlock()
		j.Nested.Lock()
		j.Nested.Lock()
		j.Pairs.Store(j.Pairs.Load())
		j.Nested.Unlock()
		j.Pairs.Load()
		j.Nested.Unlock()
	}
	return nil
}

// forgetLocks uses every object without its lock, each in several lines, twice.
func forgetLocks(j *guardedJob) {
	for range 2 {
		j.Sums.Set(3, 1)
		j.Sums.At(2)
		mp.Add(j.Counter, 1)
		j.Many.RLock()
		j.Table.Set(1, 1)
		j.Many.RUnlock()
		j.Table.At(0)
		j.Pairs.Load()
		j.Plain.Lock()
		j.Pairs.Store(triple{})
		j.Plain.Unlock()
		var wait sync.WaitGroup
		j.Plain.Lock()
		wait.Go(func() { j.Sums.At(1) })
		wait.Wait()
		j.Plain.Unlock()
		j.Free.Set(0, 1)
	}
}

// lockReports runs f a number of times at once, as goroutines or as children, with the checks turned on, and returns the reports.
func lockReports(t *testing.T, b mp.Backend, f func(context.Context, *guardedJob) error, j *guardedJob, times int) string {
	t.Helper()
	mp.CheckLocks(true)
	defer mp.CheckLocks(false)
	var mu sync.Mutex
	var text bytes.Buffer
	if b == mp.Goroutines {
		mp.SetLockReport(func(report string) {
			mu.Lock()
			defer mu.Unlock()
			text.WriteString(report)
		})
		defer mp.SetLockReport(nil)
	}
	var all []*mp.Process
	for range times {
		var opts []mp.ProcessOption
		if b == mp.Processes {
			opts = append(opts, mp.Stderr(lockedWriter{&mu, &text}))
		}
		p, err := mp.Start(watchdog(t), b, f, j, opts...)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	for _, p := range all {
		if err := p.Join(watchdog(t)); err != nil {
			t.Error(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return text.String()
}

type lockedWriter struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (w lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

// TestCheckLocks checks that accesses without the lock are reported, once for each line, with their stack and the lock, and
// that accesses with it are not.
func TestCheckLocks(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		j := newGuardedJob(t, b)
		if got := lockReports(t, b, useWithLocks, j, 3); got != "" {
			t.Errorf("correct accesses are reported:\n%s", got)
		}
		got := lockReports(t, b, func(_ context.Context, j *guardedJob) error { forgetLocks(j); return nil }, newGuardedJob(t, b), 1)
		for _, want := range []string{
			"mp: Set(3) of an Array without its lock (the Mutex given to GuardedBy at guard_test.go:", "mp: At(2) of an Array without", "mp: Add to a Value without",
			"mp: Set(1) of an Array without its lock (the RWMutex given to", "which this goroutine holds only to read", "mp: At(0) of an Array without",
			"mp: Load of a Value without its lock (the ReentrantMutex given to", "mp: Store of a Value without", "mp: At(1) of an Array without",
			"which another goroutine holds", "mp_test.forgetLocks\n\t\tguard_test.go:",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is missing in\n%s", want, got)
			}
		}
		if strings.Count(got, "mp: ") != 8 {
			t.Errorf("%d reports, want 8:\n%s", strings.Count(got, "mp: "), got)
		}
		if strings.Contains(got, "lib/mp/internal") || strings.Contains(got, "lib/mp.(") {
			t.Errorf("a stack has calls of package mp:\n%s", got)
		}
	})
}

// TestUncheckedLocks checks that nothing is reported unless accesses are checked, and that a lock which was taken before
// the checks began counts as held.
func TestUncheckedLocks(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		mp.SetLockReport(func(report string) { t.Errorf("reported:\n%s", report) })
		defer mp.SetLockReport(nil)
		j := newGuardedJob(t, b)
		j.Sums.Set(0, 1)
		j.Plain.Lock()
		j.Nested.Lock()
		j.Many.RLock()
		mp.CheckLocks(true)
		defer mp.CheckLocks(false)
		j.Sums.Set(0, 1)
		j.Pairs.Load()
		j.Table.At(0)
		j.Plain.Unlock()
		j.Nested.Unlock()
		j.Many.RUnlock()
		j.Plain.Lock()
		j.Sums.Set(0, 2)
		j.Plain.Unlock()
	})
}

// BenchmarkGuard compares Set, without checks, with the assignment to an element of the slice.
func BenchmarkGuard(b *testing.B) {
	j := newGuardedJob(b, mp.Goroutines)
	set := func(a *mp.Array[int]) time.Duration {
		began := time.Now()
		for i := range 100_000 {
			a.Set(i&3, i)
		}
		return time.Since(began)
	}
	plain := func(a *mp.Array[int]) time.Duration {
		began := time.Now()
		for i := range 100_000 {
			a.Slice()[i&3] = i
		}
		return time.Since(began)
	}
	var guarded, free, slice []time.Duration
	for b.Loop() {
		guarded, free, slice = append(guarded, set(j.Sums)), append(free, set(j.Free)), append(slice, plain(j.Free))
	}
	median := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)/2])
	}
	b.ReportMetric(median(guarded)/median(free), "×free")
	b.ReportMetric(median(guarded)/median(slice), "×slice")
	b.ReportMetric(median(guarded)/100_000, "ns/Set")
}
