package mp_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// untilDeadline returns x, but if x is negative it waits until its context ends.
func untilDeadline(ctx context.Context, x int) (int, error) {
	if x < 0 {
		<-ctx.Done()
		return x, ctx.Err()
	}
	return x * x, nil
}

func timedOut(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, which is not context.DeadlineExceeded", err)
	}
	refused(t, err, append(parts, "longer than the pool's TaskTimeout of")...)
}

func TestTaskTimeout(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2), mp.Grace(time.Hour), mp.Retries(3), mp.TaskTimeout(50*time.Millisecond))
		_, err := mp.Map[int](watchdog(t), p, untilDeadline, []int{-1})
		timedOut(t, err, "task 0", "50ms")
		_, err = mp.Submit[int](watchdog(t), p, untilDeadline, -1).Result(watchdog(t))
		timedOut(t, err)
		for y, err := range mp.Stream[int](watchdog(t), p, untilDeadline, slices.Values([]int{-1})) {
			timedOut(t, err)
			if y != 0 {
				t.Errorf("the task has a result, too: %d", y)
			}
		}
		if s := p.Stats(); s.Retried > 0 || s.Restarts > 0 {
			t.Errorf("got %+v", s)
		}
	})
}

func ignoresDeadline(ctx context.Context, x int) int { <-ctx.Done(); return x }

func wordOf(ctx context.Context, _ int) (string, error) {
	<-ctx.Done()
	return "late", fmt.Errorf("no word: %w", context.Cause(ctx))
}

func panicsLate(ctx context.Context, _ int) int { <-ctx.Done(); panic("late") }

// TestTaskThatReturnsLate checks that a result that comes too late is discarded, and
// that the task's own error is part of the error.
func TestTaskThatReturnsLate(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(1), mp.Grace(time.Hour), mp.TaskTimeout(time.Millisecond))
		for y, err := range mp.Stream[int](watchdog(t), p, ignoresDeadline, slices.Values([]int{1, 2})) {
			timedOut(t, err)
			if y != 0 {
				t.Errorf("the task has a result, too: %d", y)
			}
		}
		_, err := mp.Map[string](watchdog(t), p, wordOf, []int{1})
		timedOut(t, err, "no word")
		if n := strings.Count(err.Error(), "TaskTimeout"); n != 1 {
			t.Errorf("the limit is told %d times: %v", n, err)
		}
		_, err = mp.Map[int](watchdog(t), p, panicsLate, []int{1})
		if _, ok := errors.AsType[*mp.PanicError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}

// TestTasksWithinTheTimeout checks that a timeout does not affect tasks that end in
// time, also after an initializer, which has no limit.
func TestTasksWithinTheTimeout(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2), mp.TaskTimeout(time.Hour), mp.Initializer(nothing, ""))
		ys, err := mp.Map[int](watchdog(t), p, untilDeadline, upTo(10_000))
		if err != nil || ys[99] != 99*99 {
			t.Error(err)
		}
		expectMap(t, p)
	})
}

func sleepsForEver(x int) int {
	for x < 0 {
		time.Sleep(time.Hour)
	}
	return x * x
}

// TestStuckTaskEndsItsWorker checks that other tasks lose nothing when a stuck task's
// worker is killed, with and without retries.
func TestStuckTaskEndsItsWorker(t *testing.T) {
	for _, retries := range []int{0, 2} {
		t.Run(fmt.Sprint(retries), func(t *testing.T) {
			t.Parallel()
			p := newPool(t, mp.Processes, mp.Workers(2), mp.Grace(20*time.Millisecond), mp.Retries(retries), mp.TaskTimeout(5*time.Second))
			xs := upTo(300)
			xs[10], xs[200] = -1, -1
			i := 0
			for y, err := range mp.Stream[int](watchdog(t), p, sleepsForEver, slices.Values(xs)) {
				switch {
				case xs[i] < 0:
					timedOut(t, err, "5s")
					if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Cause == nil {
						t.Errorf("task %d: got %T: %v", i, err, err)
					}
				case err != nil || y != i*i:
					t.Errorf("task %d: %d, %v", i, y, err)
				}
				i++
			}
			if i != len(xs) {
				t.Errorf("%d results", i)
			}
			expectMap(t, p)
		})
	}
}

func TestTaskTimeoutIsChecked(t *testing.T) {
	for _, d := range []time.Duration{0, -1} {
		_, err := mp.NewPool(mp.Goroutines, mp.TaskTimeout(d))
		refused(t, err, "TaskTimeout(")
	}
}
