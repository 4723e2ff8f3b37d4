package mp_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// counts collects the arguments of a Progress function. It has no lock: if calls
// overlap, the race detector reports it.
type counts [][2]int

func (c *counts) add(done, total int) { *c = append(*c, [2]int{done, total}) }

// expect checks that done never decreases and that the last call has all tasks done.
func (c counts) expect(t *testing.T, n int, totals ...int) {
	t.Helper()
	if len(c) == 0 || c[len(c)-1] != [2]int{n, n} {
		t.Fatalf("the last count is not of all %d: %v", n, c)
	}
	for i, now := range c {
		if i > 0 && now[0] < c[i-1][0] || !slices.Contains(append(totals, n), now[1]) {
			t.Fatalf("count %d is %v after %v", i, now, c[max(i, 1)-1])
		}
	}
}

func TestProgress(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		var c counts
		ys, err := mp.Map[int](watchdog(t), p, square, upTo(5000), mp.Progress(c.add))
		if err != nil || len(ys) != 5000 {
			t.Fatal(err)
		}
		c.expect(t, 5000)
		c = nil
		if err := mp.ForEach(watchdog(t), p, nothing, make([]string, 3), mp.Progress(c.add)); err != nil {
			t.Fatal(err)
		}
		c.expect(t, 3)
		for _, f := range streams {
			c = nil
			for _, err := range f(watchdog(t), p, halfOf, slices.Values(upTo(1000)), mp.Progress(c.add)) {
				_ = err // half of the tasks fail, which counts as ended
			}
			c.expect(t, 1000, -1)
		}
	})
}

// TestProgressDoesNotHoldTheTasksUp checks that all tasks can end while the first call
// of report runs.
func TestProgressDoesNotHoldTheTasksUp(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(1))
		ctx := watchdog(t)
		var c counts
		slow := mp.Progress(func(done, total int) {
			for p.Stats().Done < 1000 && ctx.Err() == nil {
				expectMapOf(p) // works although the pool has one worker
			}
			c.add(done, total)
		})
		if _, err := mp.Map[int](ctx, p, square, upTo(1000), slow); err != nil {
			t.Fatal(err)
		}
		c.expect(t, 1000)
	})
}

func TestProgressThatPanics(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2))
		panics := mp.Progress(func(int, int) { panic("no progress") })
		ys, err := mp.Map[int](watchdog(t), p, square, []int{3}, panics)
		refused(t, err, "the Progress function failed: panic: no progress")
		if e, ok := errors.AsType[*mp.MapError](err); !ok || !e.Succeeded(0) || ys[0] != 9 {
			t.Errorf("got %v, %T: %v", ys, err, err)
		}
		_, err = mp.Map[int](watchdog(t), p, endless, []int{1, 2, -1, -1}, panics)
		refused(t, err, "no progress")
		for _, f := range streams {
			var last error
			for _, err := range f(watchdog(t), p, endless, slices.Values([]int{1, 2, -1, -1}), panics) {
				last = err
			}
			refused(t, last, "no progress")
		}
		expectMap(t, p)
	})
}

func TestProgressEndsWithTheLoop(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2))
		var c counts
		for range mp.Stream[int](watchdog(t), p, square, slices.Values(upTo(1000)), mp.Progress(c.add)) {
			break
		}
		before := len(c)
		expectMap(t, p)
		if len(c) != before {
			t.Error("progress was told after the loop had ended")
		}
		closes := mp.Progress(func(int, int) { _ = p.Close() })
		if _, err := mp.Map[int](watchdog(t), p, square, []int{1}, closes); err != nil {
			t.Error(err)
		}
	})
}

func TestProgressIsChecked(t *testing.T) {
	var p mp.Pool
	_, err := mp.Map[int](context.Background(), &p, square, []int{1}, mp.Progress(nil))
	refused(t, err, "the function of Progress is nil")
	_, err = mp.Map[int](context.Background(), &p, square, []int{1}, mp.JobOption{})
	refused(t, err, "a JobOption is its zero value")
	for _, err := range mp.Stream[int](context.Background(), &p, square, slices.Values([]int{1}), mp.Progress(nil)) {
		refused(t, err, "the function of Progress is nil")
	}
}

// streams has Stream and StreamUnordered.
var streams = []func(context.Context, *mp.Pool, func(context.Context, int) (int, error), iter.Seq[int], ...mp.JobOption) iter.Seq2[int, error]{
	mp.Stream[int, int, func(context.Context, int) (int, error)],
	mp.StreamUnordered[int, int, func(context.Context, int) (int, error)],
}

func halfOf(_ context.Context, x int) (int, error) { return half(x) }
