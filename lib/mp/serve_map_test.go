package mp_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

type visits struct {
	ByName *mp.ServedMap[string, []int]
	Counts mp.ServedMap[int, int]
	Log    *mp.ServedList[any]
	N      int
}

func visit(ctx context.Context, v visits) error {
	for {
		old, ok, err := v.Counts.Load(ctx, 1)
		if err != nil {
			return err
		}
		if !ok {
			if _, _, err := v.Counts.LoadOrStore(ctx, 1, 0); err != nil {
				return err
			}
			continue
		}
		if swapped, err := v.Counts.CompareAndSwap(ctx, 1, old, old+1); swapped || err != nil {
			break
		}
	}
	if err := v.ByName.Store(ctx, fmt.Sprint("child ", v.N), []int{v.N}); err != nil {
		return err
	}
	_, err := v.Log.Append(ctx, v.N, point{float64(v.N), 1})
	return err
}

func TestServedMapAndList(t *testing.T) {
	ctx := watchdog(t)
	byName, counts, log := made(mp.ServeMap(map[string][]int{"main": {0}})), made(mp.ServeMap[int, int](nil)), made(mp.ServeList([]any{"begin"}))
	pool := newPool(t, mp.Processes, mp.Workers(3))
	var tasks []visits
	for n := range 20 {
		tasks = append(tasks, visits{byName, *counts, log, n})
	}
	if err := mp.ForEach(ctx, pool, visit, tasks); err != nil {
		t.Fatal(err)
	}
	expect(t, 20)(first3(counts.Load(ctx, 1)))
	expect(t, 21)(byName.Len(ctx))
	expect(t, 41)(log.Len(ctx))
	seen := map[any]bool{}
	if err := log.Range(ctx, func(i int, v any) bool { seen[v] = true; return i < 39 }); err != nil || len(seen) != 40 || !seen["begin"] {
		t.Errorf("ranged over %d values, %v", len(seen), err)
	}
	n := 0
	if err := byName.Range(ctx, func(string, []int) bool { n++; return n < 5 }); err != nil || n != 5 {
		t.Errorf("ranged over %d keys, %v", n, err)
	}
	testServedMap(t, counts)
	testServedList(t, log)
	byName.Close()
	counts.Close()
	log.Close()
	_, err := result(mp.Go[int](ctx, mp.Processes, lengthOf, counts))
	if !errors.Is(err, mp.ErrClosed) {
		t.Errorf("methodRun a closed map: %v", err)
	}
}

func lengthOf(ctx context.Context, m *mp.ServedMap[int, int]) (int, error) { return m.Len(ctx) }

func testServedMap(t *testing.T, m *mp.ServedMap[int, int]) {
	ctx := watchdog(t)
	expect(t, 20)(first3(m.Swap(ctx, 1, 7)))
	expect(t, 7)(first3(m.LoadOrStore(ctx, 1, 8)))
	expect(t, false)(m.CompareAndSwap(ctx, 1, 8, 9))
	expect(t, 7)(first3(m.LoadAndDelete(ctx, 1)))
	if _, ok, err := m.Load(ctx, 1); ok || err != nil {
		t.Errorf("a deleted key is there, %v", err)
	}
	if err := errors.Join(m.Store(ctx, 2, 3), m.Delete(ctx, 2), m.Store(ctx, 3, 4), m.Clear(ctx)); err != nil {
		t.Error(err)
	}
	expect(t, 0)(m.Len(ctx))
}

func testServedList(t *testing.T, l *mp.ServedList[any]) {
	ctx := watchdog(t)
	expect(t, any("begin"))(l.Load(ctx, 0))
	if err := errors.Join(l.Store(ctx, 0, 5), l.Delete(ctx, 1)); err != nil {
		t.Error(err)
	}
	expect(t, any(5))(l.Load(ctx, 0))
	expect(t, 40)(l.Append(ctx, "end"))
	expect(t, any("end"))(first3(l.Pop(ctx)))
	_, err := l.Load(ctx, 40)
	refused(t, err, "index 40 is out of range for a served list of 40 elements")
	if err := l.Clear(ctx); err != nil {
		t.Error(err)
	}
	if _, ok, err := l.Pop(ctx); ok || err != nil {
		t.Errorf("an empty list has a last element, %v", err)
	}
	var zero mp.ServedList[int]
	_, err = zero.Len(ctx)
	refused(t, err, "make it with mp.Serve")
}

func first3[T any](v T, _ bool, err error) (T, error) { return v, err }
