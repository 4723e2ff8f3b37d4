package cluster

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

// openAlone opens a cluster without workers.
func openAlone(t *testing.T) (*Cluster, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c := must.Get(Open(ctx, WorkerTimeout(2*time.Minute)))
	t.Cleanup(func() { _ = c.Close() })
	return c, ctx
}

func TestValuesOfAClosedQueueAreDelivered(t *testing.T) {
	c, ctx := openAlone(t)
	q := must.Get(NewQueue[int](ctx, c, 3))
	for i := range 3 {
		must.Do(q.Put(ctx, i))
	}
	waiting := make(chan error)
	go func() { waiting <- q.Put(ctx, 99) }()
	must.Do(q.Close(ctx), q.Close(ctx))
	if err := <-waiting; !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a Put that waits: %v", err)
	}
	if err := q.TryPut(ctx, 99); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("TryPut: %v", err)
	}
	for i := range 3 {
		if n := must.Get(q.Len(ctx)); n != 3-i {
			t.Errorf("%d values are left, want %d", n, 3-i)
		}
		if v := must.Get(q.Get(ctx)); v != i {
			t.Errorf("got %d, want %d", v, i)
		}
	}
	if _, err := q.Get(ctx); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("Get of an empty closed Queue: %v", err)
	}
	if _, ok, err := q.TryGet(ctx); ok || !errors.Is(err, mp.ErrClosed) {
		t.Errorf("TryGet of an empty closed Queue: %v, %v", ok, err)
	}
	if _, err := q.Len(ctx); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("Len of an empty closed Queue: %v", err)
	}
}
