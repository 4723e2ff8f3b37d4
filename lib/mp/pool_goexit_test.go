package mp_test

import (
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// TestGoexitWithinABatch checks that if a task ends its goroutine, every other task of
// the batch runs once and has its result.
func TestGoexitWithinABatch(t *testing.T) {
	const n = 3000
	p := newPool(t, mp.Goroutines, mp.Workers(2))
	var runs [n]atomic.Int32
	fn := func(i int) int {
		if runs[i].Add(1); i%100 == 50 {
			runtime.Goexit()
		}
		return 2 * i
	}
	i := 0
	for y, err := range mp.Stream[int](watchdog(t), p, fn, slices.Values(upTo(n))) {
		switch {
		case i%100 == 50:
			if !errors.Is(err, mp.ErrGoexit) {
				t.Errorf("task %d: got %d, %v", i, y, err)
			}
		case err != nil || y != 2*i:
			t.Errorf("task %d: got %d, %v", i, y, err)
		}
		i++
	}
	if i != n {
		t.Errorf("%d results", i)
	}
	for i := range n {
		if k := runs[i].Load(); k != 1 {
			t.Errorf("task %d ran %d times", i, k)
		}
	}
}

func TestDoneIsExactWhenMapReturns(t *testing.T) {
	for _, b := range []mp.Backend{mp.Goroutines, mp.Processes} {
		p := newPool(t, b, mp.Workers(2))
		want := p.Stats().Done
		for range 300 {
			expectMap(t, p)
			want += 3
			if got := p.Stats().Done; got != want {
				t.Fatalf("%v: %d tasks are done, want %d", b, got, want)
			}
		}
	}
}
