package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

func twice(x int) int { return 2 * x }

// only returns the only pool of the cluster.
func only(t *testing.T, c *Cluster) *runner {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.pools {
		return r
	}
	t.Fatal("there is no pool")
	return nil
}

// TestDamagedResults sends results that cannot be read, in place of a worker that has
// acknowledged its batch: the caller gets an error.
func TestDamagedResults(t *testing.T) {
	c, ctx := openAlone(t)
	p := must.Get(c.Pool())
	r := only(t, c)
	good := wire.Result{Pool: r.id, Batch: 1, Worker: "w", Indexes: []int{0}, Values: []wire.Value{{}}}
	wrongIndex, wrongPool, wrongBatch := good, good, good
	wrongIndex.Indexes, wrongPool.Pool, wrongBatch.Batch = []int{7}, "other", 1<<40
	for i, msg := range [][]byte{[]byte("nonsense"), good.Encode()[:30], nil, wrongPool.Encode(), wrongBatch.Encode(), wrongIndex.Encode()} {
		batch := uint64(i + 1)
		if i == 5 {
			wrongIndex.Batch = batch
			msg = wrongIndex.Encode()
		}
		f := mp.Submit[int](ctx, p, twice, i)
		await(ctx, t, func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.inflight[batch] != nil
		})
		must.Get(c.publish(ctx, c.resultSubject(r.id, batch), "", msg))
		_, err := f.Result(ctx)
		if err == nil || !strings.Contains(err.Error(), "no result of ") || !strings.Contains(err.Error(), "twice (damage_test.go:") {
			t.Errorf("message %d: %v", i, err)
		}
		if msg != nil && !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("message %d: %v", i, err)
		}
	}
	must.Get(c.publish(ctx, c.resultSubject(r.id, 0), "", []byte("output"))) // is dropped
	must.Do(c.Workers(1))
	if y, err := mp.Submit[int](ctx, p, twice, 21).Result(ctx); err != nil || y != 42 {
		t.Errorf("the pool does not work any more: %d, %v", y, err)
	}
}

// TestDamagedBatch stores bytes that are no batch under the id of a batch, so that the server
// drops the batch as a duplicate.
func TestDamagedBatch(t *testing.T) {
	c, ctx := openAlone(t)
	p := must.Get(c.Pool())
	r := only(t, c)
	must.Get(c.publish(ctx, c.taskSubject(buildID(c.build), r.id), fmt.Sprintf("%s.1", r.id), []byte("nonsense")))
	f := mp.Submit[int](ctx, p, twice, 1)
	await(ctx, t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.inflight[1] != nil
	})
	must.Do(c.Workers(1))
	if _, err := f.Result(ctx); err == nil || !strings.Contains(err.Error(), "could not read the message with the task") {
		t.Errorf("got %v", err)
	}
	if y, err := mp.Submit[int](ctx, p, twice, 21).Result(ctx); err != nil || y != 42 {
		t.Errorf("the pool does not work any more: %d, %v", y, err)
	}
}

// await waits until ready returns true.
func await(ctx context.Context, t *testing.T, ready func() bool) {
	t.Helper()
	for !ready() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("the watchdog's two minutes are over: something hangs")
		}
	}
}

// TestTryLockOfADeadOwner locks a Mutex without renewing the lease, like a process that was
// killed.
func TestTryLockOfADeadOwner(t *testing.T) {
	c, ctx := openAlone(t)
	m := must.Get(NewMutex(ctx, c))
	now, err := m.get(ctx)
	must.Do(err)
	if _, ok, err := m.swap(ctx, now, []byte("dead")); !ok || err != nil {
		t.Fatal(ok, err)
	}
	locked := must.Get(m.TryLock(ctx))
	await(ctx, t, func() bool {
		locked = locked || must.Get(m.TryLock(ctx))
		return locked
	})
	other := &Mutex{entry: m.entry}
	if must.Get(other.TryLock(ctx)) {
		t.Error("a Mutex whose owner lives was taken")
	}
	must.Do(m.Unlock(ctx))
	if !must.Get(other.TryLock(ctx)) {
		t.Error("a free Mutex was not taken")
	}
	must.Do(other.Unlock(ctx))
	must.Do(m.Close(ctx))
	if _, err := m.TryLock(ctx); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a closed Mutex: %v", err)
	}
}
