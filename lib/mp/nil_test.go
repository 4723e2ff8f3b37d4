package mp_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// Package variables that the parent sets and that are nil in its children.
var (
	unsetPool    *mp.Pool
	unsetQueue   *mp.Queue[int]
	unsetConn    *mp.Conn[int]
	unsetMutex   *mp.Mutex
	unsetRWMutex *mp.RWMutex
	unsetCond    *mp.Cond
	unsetGroup   *mp.WaitGroup
	unsetEvent   *mp.Event
	unsetBarrier *mp.Barrier
	unsetUnits   *mp.Semaphore
	unsetRef     *mp.Ref[int]
)

// uses has calls with a nil argument; each must return an error.
var uses = map[string]func(context.Context) error{
	"Map": func(ctx context.Context) error { _, err := mp.Map[int](ctx, unsetPool, square, []int{1}); return err },
	"Submit": func(ctx context.Context) error {
		_, err := mp.Submit[int](ctx, unsetPool, square, 1).Result(ctx)
		return err
	},
	"Stream": func(ctx context.Context) error {
		for _, err := range mp.Stream[int](ctx, unsetPool, square, slices.Values([]int{1})) {
			return err
		}
		return nil
	},
	"Close":        func(context.Context) error { return unsetPool.Close() },
	"Put":          func(ctx context.Context) error { return unsetQueue.Put(ctx, 1) },
	"Get":          func(ctx context.Context) error { _, err := unsetQueue.Get(ctx); return err },
	"Send":         func(ctx context.Context) error { return unsetConn.Send(ctx, 1) },
	"Recv":         func(ctx context.Context) error { _, err := unsetConn.Recv(ctx); return err },
	"LockContext":  func(ctx context.Context) error { return unsetMutex.LockContext(ctx) },
	"RLockContext": func(ctx context.Context) error { return unsetRWMutex.RLockContext(ctx) },
	"Cond":         func(ctx context.Context) error { return unsetCond.WaitContext(ctx) },
	"WaitGroup":    func(ctx context.Context) error { return unsetGroup.WaitContext(ctx) },
	"Event":        func(ctx context.Context) error { return unsetEvent.Wait(ctx) },
	"Barrier":      func(ctx context.Context) error { _, err := unsetBarrier.Wait(ctx); return err },
	"Acquire":      func(ctx context.Context) error { return unsetUnits.Acquire(ctx) },
	"Ask":          func(ctx context.Context) error { _, err := mp.Ask[int](ctx, unsetRef, addTo, 1); return err },
}

func addTo(n *int, d int) int { *n += d; return *n }

func useNil(ctx context.Context, name string) error { return uses[name](ctx) }

// TestNilInAChild checks that the use of a nil variable in a child gives an error that
// explains it.
func TestNilInAChild(t *testing.T) {
	pool, err := mp.NewPool(mp.Processes, mp.Workers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for name := range uses {
		err := mp.ForEach(watchdog(t), pool, useNil, []string{name})
		if err == nil || !strings.Contains(err.Error(), "is nil; in a child process, package variables have their initial values") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
