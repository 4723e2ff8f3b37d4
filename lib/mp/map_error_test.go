package mp_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// TestMapFailsWithItsResults checks which results a failed Map returns. One worker runs
// one task after the other, so that it is known which have ended.
func TestMapFailsWithItsResults(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(1))
		xs := []int{2, 4, 6, 7, 8}
		ys, err := mp.Map[int](watchdog(t), p, half, xs)
		e, ok := errors.AsType[*mp.MapError](err)
		if !ok || !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("got %T: %v", err, err)
		}
		refused(t, err, "task 3: 7 is odd")
		if len(e.Failed) != 1 || e.Failed[3] == nil || !errors.Is(e.Failed[3], fs.ErrNotExist) {
			t.Errorf("failed: %v", e.Failed)
		}
		if len(ys) != len(xs) || ys[3] != 0 {
			t.Fatalf("results %v", ys)
		}
		for i, x := range xs {
			switch {
			case i < 3 && !e.Succeeded(i), i == 3 && e.Succeeded(i):
				t.Errorf("Succeeded(%d) is %v", i, e.Succeeded(i))
			case e.Succeeded(i) && ys[i] != x/2, !e.Succeeded(i) && ys[i] != 0:
				t.Errorf("result %d is %d", i, ys[i])
			}
		}
		expectMap(t, p)
	})
}

func endless(ctx context.Context, x int) (int, error) {
	if x < 0 {
		<-ctx.Done()
		return -1, ctx.Err()
	}
	return x, nil
}

// TestMapOfManyEndsWithItsContext checks that a Map whose context ends returns the
// results of the tasks that have succeeded, and reports no others as succeeded.
func TestMapOfManyEndsWithItsContext(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2))
		xs := upTo(1000)
		xs[999] = -1
		ctx, cancel := context.WithCancel(watchdog(t))
		defer cancel()
		go func() {
			for p.Stats().Done < 500 && ctx.Err() == nil {
				expectMapOf(p)
			}
			cancel()
		}()
		ys, err := mp.Map[int](ctx, p, endless, xs)
		e, ok := errors.AsType[*mp.MapError](err)
		if !ok || !errors.Is(err, context.Canceled) || len(ys) != len(xs) {
			t.Fatalf("%d results, %T: %v", len(ys), err, err)
		}
		for i, err := range e.Failed { // the task may have returned by now
			if i != 999 {
				t.Errorf("task %d: %v", i, err)
			}
		}
		for i, y := range ys {
			if want := i; y != want && y != 0 || e.Succeeded(i) && y != want {
				t.Fatalf("result %d is %d", i, y)
			}
		}
		if e.Succeeded(999) || e.Succeeded(-1) || e.Succeeded(1000) {
			t.Error("a task that did not end is said to have succeeded")
		}
	})
}

// expectMapOf runs one task on the pool and ignores its outcome.
func expectMapOf(p *mp.Pool) { _, _ = mp.Map[int](context.Background(), p, square, []int{1}) }

func TestForEachTellsWhatFailed(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(1))
		err := mp.ForEach(watchdog(t), p, failing, []string{"luck"})
		e, ok := errors.AsType[*mp.MapError](err)
		if !ok || len(e.Failed) != 1 || e.Failed[0].Error() != "no luck" || e.Succeeded(0) {
			t.Errorf("got %T: %v", err, err)
		}
	})
}

func mapOfOdd(_ context.Context, xs []int) ([]int, error) {
	var p mp.Pool
	return mp.Map[int](context.Background(), &p, half, xs)
}

// TestMapErrorTravels checks that a MapError can be sent as the error of a task.
func TestMapErrorTravels(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(1))
	_, err := mp.Submit[[]int](watchdog(t), p, mapOfOdd, []int{3}).Result(watchdog(t))
	e, ok := errors.AsType[*mp.MapError](err)
	if !ok || !slices.Equal([]bool{e.Failed[0] != nil, e.Succeeded(0)}, []bool{true, false}) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %T: %v", err, err)
	}
}
