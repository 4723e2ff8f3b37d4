package mp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// parties is the number of goroutines or processes that most of these tests start.
const parties = 4

// team starts fn(arg) parties times and joins all.
func team[A any](t *testing.T, b mp.Backend, fn func(A) error, arg A) {
	t.Helper()
	var procs []*mp.Process
	for range parties {
		p, err := mp.Start(watchdog(t), b, fn, arg)
		if err != nil {
			t.Fatal(err)
		}
		procs = append(procs, p)
	}
	for _, p := range procs {
		if err := p.Join(watchdog(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// made returns v, and panics if err is not nil.
func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type lockedCount struct {
	Lock  *mp.Mutex
	RLock *mp.ReentrantMutex
	Count *mp.Array[int]
	Turns int
}

func countLocked(c lockedCount) error {
	for range c.Turns {
		c.Lock.Lock()
		c.Count.Slice()[0]++
		c.Lock.Unlock()
	}
	return nil
}

func TestLockExcludes(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		c := lockedCount{Lock: made(mp.NewMutex(b)), Count: made(mp.NewArray[int](b, 1)), Turns: 5000}
		team(t, b, countLocked, c)
		if n := c.Count.Slice()[0]; n != parties*5000 {
			t.Errorf("counted %d, want %d", n, parties*5000)
		}
	})
}

func countTwiceLocked(c lockedCount) error {
	for range c.Turns {
		c.RLock.Lock()
		c.RLock.Lock()
		c.Count.Slice()[0]++
		c.RLock.Unlock()
		c.RLock.Unlock()
	}
	return nil
}

func TestRLockExcludesAndReenters(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		c := lockedCount{RLock: made(mp.NewReentrantMutex(b)), Count: made(mp.NewArray[int](b, 1)), Turns: 1000}
		team(t, b, countTwiceLocked, c)
		if n := c.Count.Slice()[0]; n != parties*1000 {
			t.Errorf("counted %d, want %d", n, parties*1000)
		}
	})
}

func TestLockGivesUpWithItsContext(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		l := made(mp.NewMutex(b))
		l.Lock()
		ctx, cancel := context.WithTimeout(watchdog(t), 5*time.Millisecond)
		defer cancel()
		if err := l.LockContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if l.TryLock() {
			t.Error("a held lock was taken")
		}
		l.Unlock()
		if !l.TryLock() {
			t.Error("a free lock was not taken")
		}
	})
}

func dieHolding(l *mp.Mutex) {
	l.Lock()
	syscallKill()
}

func TestLockOfADeadOwnerIsFreed(t *testing.T) {
	l := made(mp.NewMutex(mp.Processes))
	for i := range 3 {
		p := made(mp.Start(watchdog(t), mp.Processes, dieHolding, l))
		endsWith(t, p, nil, "signal 9", -9)
		if err := l.LockContext(watchdog(t)); err != nil {
			t.Fatal(err)
		}
		l.Unlock()
		if l.Recovered() != i+1 {
			t.Errorf("recovered %d times, want %d", l.Recovered(), i+1)
		}
	}
}

type limited struct {
	Free    *mp.Semaphore
	Inside  *mp.Value[int]
	TooMany *mp.Value[int]
}

func enter(l limited) error {
	for range 200 {
		if err := l.Free.Acquire(context.Background()); err != nil {
			return err
		}
		if mp.Add(l.Inside, 1) > 2 {
			mp.Add(l.TooMany, 1)
		}
		mp.Add(l.Inside, -1)
		l.Free.Release()
	}
	return nil
}

func TestSemaphoreAdmitsItsNumber(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		l := limited{made(mp.NewSemaphore(b, 2)), made(mp.NewValue(b, 0)), made(mp.NewValue(b, 0))}
		team(t, b, enter, l)
		if n := l.TooMany.Load(); n != 0 {
			t.Errorf("more than two were inside, %d times", n)
		}
		free := 0
		for l.Free.TryAcquire() {
			free++
		}
		if free != 2 {
			t.Errorf("the semaphore has %d units afterwards, want 2", free)
		}
	})
}

type starting struct {
	Go    *mp.Event
	Ready *mp.Value[int32]
}

func await(s starting) error {
	mp.Add(s.Ready, 1)
	return s.Go.Wait(context.Background())
}

func TestEventWakesAll(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		s := starting{made(mp.NewEvent(b)), made(mp.NewValue[int32](b, 0))}
		var all sync.WaitGroup
		all.Go(func() { team(t, b, await, s) })
		for s.Ready.Load() < parties && watchdog(t).Err() == nil {
			time.Sleep(time.Millisecond)
		}
		s.Go.Set()
		all.Wait()
		s.Go.Clear()
		ctx, cancel := context.WithTimeout(watchdog(t), time.Millisecond)
		defer cancel()
		if err := s.Go.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for a cleared event: %v", err)
		}
	})
}

type turns struct {
	Cond *mp.Cond
	Turn *mp.Value[int]
	Next *mp.Value[int]
}

// takeTurns increments a shared count each time that it is this party's turn.
func takeTurns(s turns) error {
	me := mp.Add(s.Next, 1) - 1
	for range 50 {
		s.Cond.L.Lock()
		for s.Turn.Load()%parties != me {
			if err := s.Cond.WaitContext(context.Background()); err != nil {
				return err
			}
		}
		mp.Add(s.Turn, 1)
		s.Cond.L.Unlock()
		s.Cond.Broadcast()
	}
	return nil
}

func TestCondTakesTurns(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		s := turns{made(mp.NewCond(b)), made(mp.NewValue(b, 0)), made(mp.NewValue(b, 0))}
		team(t, b, takeTurns, s)
		if n := s.Turn.Load(); n != 50*parties {
			t.Errorf("%d turns", n)
		}
	})
}

type rounds struct {
	Barrier *mp.Barrier
	Sum     *mp.Value[int]
	Firsts  *mp.Value[int]
}

func goRounds(r rounds) error {
	for i := range 50 {
		mp.Add(r.Sum, 1)
		place, err := r.Barrier.Wait(context.Background())
		if err != nil {
			return err
		}
		if n := r.Sum.Load(); n < (i+1)*parties {
			return fmt.Errorf("round %d: only %d had arrived", i, n)
		}
		if place == 0 {
			mp.Add(r.Firsts, 1)
		}
	}
	return nil
}

func TestBarrierHoldsEveryRound(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		r := rounds{made(mp.NewBarrier(b, parties)), made(mp.NewValue(b, 0)), made(mp.NewValue(b, 0))}
		team(t, b, goRounds, r)
		if n := r.Firsts.Load(); n != 50 {
			t.Errorf("%d were the first of 50 rounds", n)
		}
	})
}

func TestBarrierBreaks(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		r := made(mp.NewBarrier(b, 2))
		ctx, cancel := context.WithTimeout(watchdog(t), time.Millisecond)
		defer cancel()
		if _, err := r.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if _, err := r.Wait(watchdog(t)); !errors.Is(err, mp.ErrBroken) {
			t.Errorf("a broken barrier: %v", err)
		}
		r.Reset()
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if _, err := r.Wait(watchdog(t)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestLocalObjectsAreNotSent(t *testing.T) {
	l := made(mp.NewMutex(mp.Goroutines))
	_, err := mp.Start(watchdog(t), mp.Processes, dieHolding, l)
	refused(t, err, "Mutex", "mp.Processes")
	_, err = mp.Start(watchdog(t), mp.Processes, dieHolding, new(mp.Mutex))
	refused(t, err, "make it with mp.NewMutex")
}

func TestUnlockOfAFreeLockPanics(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		defer func() {
			if v := recover(); !strings.Contains(fmt.Sprint(v), "does not hold") {
				t.Errorf("recovered %v", v)
			}
		}()
		made(mp.NewMutex(b)).Unlock()
	})
}

func syscallKill() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Signal(syscall.SIGKILL)
	}
	if err != nil {
		panic(err)
	}
	select {}
}

func TestStrings(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		v := made(mp.NewValue(b, 2.5))
		q := made(mp.NewQueue[int](b, 0))
		if err := q.TryPut(1); err != nil {
			t.Fatal(err)
		}
		p := made(mp.NewPool(b, mp.Workers(1)))
		defer p.Close()
		if _, err := mp.Map[int](watchdog(t), p, square, []int{1, 2}); err != nil {
			t.Fatal(err)
		}
		kind := map[mp.Backend]string{mp.Goroutines: "goroutine", mp.Processes: "process"}[b]
		want := "2.5, a queue of 1 value, a pool of 1 " + kind + ", 2 tasks done"
		if got := fmt.Sprintf("%v, %v, %v", v, q, p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
