package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

// parties is the number of tasks that most of these tests run at once.
const parties = 4

// team runs fn(arg) in several child processes at once; parties is their number.
func team[A any](t *testing.T, c *cluster.Cluster, fn func(context.Context, A) error, arg A) {
	t.Helper()
	p := newPool(t, c)
	args := make([]A, parties)
	for i := range args {
		args[i] = arg
	}
	if err := mp.ForEach(watchdog(t), p, fn, args); err != nil {
		t.Fatal(err)
	}
}

type counter struct {
	Lock  *cluster.Mutex
	Count *cluster.Value[int]
	Turns int
}

func countLocked(ctx context.Context, c counter) error {
	for range c.Turns {
		if err := c.Lock.Lock(ctx); err != nil {
			return err
		}
		n, err := c.Count.Load(ctx)
		if err == nil {
			err = c.Count.Store(ctx, n+1)
		}
		if err := errors.Join(err, c.Lock.Unlock(ctx)); err != nil {
			return err
		}
	}
	return nil
}

func addOne(n int) int { return n + 1 }

func countByUpdates(ctx context.Context, c counter) error {
	for range c.Turns {
		if _, err := c.Count.Update(ctx, addOne); err != nil {
			return err
		}
	}
	return nil
}

func TestMutexExcludes(t *testing.T) {
	c, ctx := open(t, parties), watchdog(t)
	job := counter{must.Get(cluster.NewMutex(ctx, c)), must.Get(cluster.NewValue(ctx, c, 0)), 25}
	team(t, c, countLocked, job)
	if n := must.Get(job.Count.Load(ctx)); n != 25*parties {
		t.Errorf("counted %d, want %d", n, 25*parties)
	}
}

func TestUpdatesOfAValue(t *testing.T) {
	c, ctx := open(t, parties), watchdog(t)
	job := counter{Count: must.Get(cluster.NewValue(ctx, c, 5)), Turns: 50}
	team(t, c, countByUpdates, job)
	if n := must.Get(job.Count.Load(ctx)); n != 5+50*parties {
		t.Errorf("counted %d, want %d", n, 5+50*parties)
	}
	if err := job.Count.Close(ctx); err != nil {
		t.Error(err)
	}
	if _, err := job.Count.Load(ctx); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a closed Value: %v", err)
	}
	pairs := must.Get(cluster.NewValue(ctx, c, map[string][]int{"a": {1}}))
	if err := pairs.Store(ctx, map[string][]int{"b": nil}); err != nil {
		t.Error(err)
	}
	if m := must.Get(pairs.Load(ctx)); len(m) != 1 || m["b"] != nil {
		t.Errorf("loaded %v", m)
	}
	_, err := cluster.NewValue(ctx, c, make(chan int))
	refused(t, err, "a channel works within one process")
	_, err = new(cluster.Value[int]).Load(ctx)
	refused(t, err, "is a zero value: make it with")
}

func TestTryLockAndUnlock(t *testing.T) {
	c, ctx := open(t, 0), watchdog(t)
	m := must.Get(cluster.NewMutex(ctx, c))
	if err := m.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	if must.Get(m.TryLock(ctx)) {
		t.Error("a held Mutex was taken")
	}
	short, cancel := context.WithCancel(ctx)
	cancel()
	if err := m.Lock(short); !errors.Is(err, context.Canceled) {
		t.Errorf("Lock with a canceled context: %v", err)
	}
	waiting := make(chan error)
	go func() { waiting <- m.Lock(ctx) }()
	if err := m.Unlock(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	if err := m.Unlock(ctx); err != nil {
		t.Error(err)
	}
	refused(t, m.Unlock(ctx), "cannot unlock a Mutex that was not locked through the same variable")
	go func() { waiting <- must.Get(cluster.NewMutex(ctx, c)).Unlock(ctx) }()
	refused(t, <-waiting, "cannot unlock a Mutex that was not locked through the same variable")
}

// dieHolding locks a Mutex and kills its process, the first time.
func dieHolding(ctx context.Context, c counter) error {
	if err := c.Lock.Lock(ctx); err != nil {
		return err
	}
	first := false
	_, err := c.Count.Update(ctx, func(n int) int { first = n == 0; return n + 1 })
	if first {
		killMyself()
	}
	return errors.Join(err, c.Lock.Unlock(ctx))
}

func TestMutexOfADeadOwnerIsFreed(t *testing.T) {
	c, ctx := open(t, 1), watchdog(t)
	job := counter{Lock: must.Get(cluster.NewMutex(ctx, c)), Count: must.Get(cluster.NewValue(ctx, c, 0))}
	p := newPool(t, c)
	if err := mp.ForEach(ctx, p, dieHolding, []counter{job}); err != nil {
		t.Fatal(err)
	}
	if n := must.Get(job.Count.Load(ctx)); n != 2 {
		t.Errorf("the task began %d times, want 2", n)
	}
}

type starting struct {
	Go    *cluster.Event
	Ready *cluster.Value[int]
}

func await(ctx context.Context, s starting) error {
	if _, err := s.Ready.Update(ctx, addOne); err != nil {
		return err
	}
	return s.Go.Wait(ctx)
}

func TestEventWakesAll(t *testing.T) {
	c, ctx := open(t, parties), watchdog(t)
	s := starting{must.Get(cluster.NewEvent(ctx, c)), must.Get(cluster.NewValue(ctx, c, 0))}
	var all sync.WaitGroup
	all.Go(func() { team(t, c, await, s) })
	for must.Get(s.Ready.Load(ctx)) < parties {
	}
	if must.Get(s.Go.IsSet(ctx)) {
		t.Error("the Event is set too early")
	}
	if err := s.Go.Set(ctx); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if !must.Get(s.Go.IsSet(ctx)) {
		t.Error("the Event is not set")
	}
	if err := s.Go.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithCancel(ctx)
	waiting := make(chan error)
	go func() { waiting <- s.Go.Wait(short) }()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for a cleared Event: %v", err)
	}
	go func() { waiting <- s.Go.Wait(ctx) }()
	if err := s.Go.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := <-waiting; !errors.Is(err, mp.ErrClosed) {
		t.Errorf("waiting for a closed Event: %v", err)
	}
}

type rounds struct {
	Barrier     *cluster.Barrier
	Sum, Firsts *cluster.Value[int]
}

func goRounds(ctx context.Context, r rounds) error {
	for i := range 10 {
		if _, err := r.Sum.Update(ctx, addOne); err != nil {
			return err
		}
		place, err := r.Barrier.Wait(ctx)
		if err != nil {
			return err
		}
		n, err := r.Sum.Load(ctx)
		if err != nil {
			return err
		}
		if n < (i+1)*parties {
			return fmt.Errorf("round %d: only %d had arrived", i, n)
		}
		if place == 0 {
			if _, err := r.Firsts.Update(ctx, addOne); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestBarrierHoldsEveryRound(t *testing.T) {
	c, ctx := open(t, parties), watchdog(t)
	r := rounds{must.Get(cluster.NewBarrier(ctx, c, parties)), must.Get(cluster.NewValue(ctx, c, 0)), must.Get(cluster.NewValue(ctx, c, 0))}
	team(t, c, goRounds, r)
	if n := must.Get(r.Firsts.Load(ctx)); n != 10 {
		t.Errorf("%d were the first of 10 rounds", n)
	}
}

func TestBarrierOfNoParties(t *testing.T) {
	_, err := cluster.NewBarrier(watchdog(t), open(t, 0), 0)
	refused(t, err, "cannot make a Barrier for 0 parties")
}

// loadFrom loads a Value in a child process of a worker.
func loadFrom(ctx context.Context, v *cluster.Value[string]) (string, error) {
	s, err := v.Load(ctx)
	return fmt.Sprint(s, " from ", os.Getpid() > 0), err
}

func TestObjectsOfAnotherClusterAreRefused(t *testing.T) {
	c, ctx := open(t, 1), watchdog(t)
	v := must.Get(cluster.NewValue(ctx, open(t, 0), "far"))
	_, err := mp.Map[string](ctx, newPool(t, c), loadFrom, []*cluster.Value[string]{v})
	refused(t, err, "cannot use an object of another cluster")
	v = must.Get(cluster.NewValue(ctx, c, "near"))
	ys, err := mp.Map[string](ctx, newPool(t, c), loadFrom, []*cluster.Value[string]{v})
	if err != nil || ys[0] != "near from true" {
		t.Errorf("%q, %v", ys, err)
	}
}
