package cluster_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

type production struct {
	Queue *cluster.Queue[int]
	From  int
}

func produce(ctx context.Context, p production) error {
	for i := range 50 {
		if err := p.Queue.Put(ctx, p.From+i); err != nil {
			return err
		}
	}
	return nil
}

func TestQueue(t *testing.T) {
	c, ctx := open(t, 2), watchdog(t)
	q := must.Get(cluster.NewQueue[int](ctx, c, 7)) // smaller than what is put
	var all sync.WaitGroup
	all.Go(func() {
		if err := mp.ForEach(ctx, newPool(t, c), produce, []production{{q, 0}, {q, 50}}); err != nil {
			t.Error(err)
		}
	})
	var got []int
	for range 100 {
		v, err := q.Get(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	all.Wait()
	if slices.Sort(got); !slices.Equal(got, upTo(100)) {
		t.Errorf("got %v", got)
	}
	if _, ok, err := q.TryGet(ctx); ok || err != nil {
		t.Errorf("an empty Queue: %v, %v", ok, err)
	}
}

func TestQueueLimits(t *testing.T) {
	c, ctx := open(t, 0), watchdog(t)
	q := must.Get(cluster.NewQueue[string](ctx, c, 2))
	must.Do(q.Put(ctx, "a"), q.Put(ctx, "b"))
	if err := q.TryPut(ctx, "c"); !errors.Is(err, mp.ErrFull) {
		t.Errorf("a full Queue: %v", err)
	}
	short, cancel := context.WithCancel(ctx)
	waiting := make(chan error)
	go func() { waiting <- q.Put(short, "c") }()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("Put with a canceled context: %v", err)
	}
	if n := must.Get(q.Len(ctx)); n != 2 {
		t.Errorf("the Queue has %d values", n)
	}
	if v, ok, err := q.TryGet(ctx); v != "a" || !ok || err != nil {
		t.Errorf("got %q, %v, %v", v, ok, err)
	}
	if v := must.Get(q.Get(ctx)); v != "b" {
		t.Errorf("got %q", v)
	}
	err := q.Put(ctx, strings.Repeat("x", 1<<20))
	if refused(t, err, "too large for a Queue"); !errors.Is(err, mp.ErrTooLarge) {
		t.Errorf("not ErrTooLarge: %v", err)
	}
	get := func(ctx context.Context) {
		_, err := q.Get(ctx)
		waiting <- err
	}
	short, cancel = context.WithCancel(ctx)
	go get(short)
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("Get with a canceled context: %v", err)
	}
	go get(ctx)
	if err := q.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := <-waiting; !errors.Is(err, mp.ErrClosed) {
		t.Errorf("Get of a closed Queue: %v", err)
	}
	if err := q.Put(ctx, "d"); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("Put to a closed Queue: %v", err)
	}
	_, err = cluster.NewQueue[int](ctx, c, -1)
	refused(t, err, "cannot make a Queue for -1 values")
	_, err = cluster.NewQueue[func()](ctx, c, 1)
	refused(t, err, "a function cannot be part of a value")
}

// TestQueueEnds checks the errors of Get at a deadline, after Close beside consumers, and
// after the cluster was closed.
func TestQueueEnds(t *testing.T) {
	c, ctx := open(t, 0), watchdog(t)
	q := must.Get(cluster.NewQueue[int](ctx, c, 100))
	for range 5 {
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		if _, err := q.Get(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get at its deadline: %v", err)
		}
		cancel()
	}
	ended := make(chan error)
	consume := func(q *cluster.Queue[int]) {
		for {
			if _, err := q.Get(ctx); err != nil {
				ended <- err
				return
			}
		}
	}
	for range 3 {
		q := must.Get(cluster.NewQueue[int](ctx, c, 100))
		for i := range 50 {
			must.Do(q.Put(ctx, i))
		}
		for range 3 {
			go consume(q)
		}
		must.Do(q.Close(ctx))
		for range 3 {
			if err := <-ended; !errors.Is(err, mp.ErrClosed) {
				t.Errorf("Get of a closed Queue: %v", err)
			}
		}
	}
	go consume(q)
	must.Do(c.Close())
	if err := <-ended; !errors.Is(err, mp.ErrClosed) {
		t.Errorf("Get after the cluster was closed: %v", err)
	}
}
