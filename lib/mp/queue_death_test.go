package mp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func putTwoAndWait(q *mp.Queue[int]) error {
	for i := range 2 {
		if err := q.Put(context.Background(), i); err != nil {
			return err
		}
	}
	select {}
}

func getOneAndWait(q *mp.Queue[int]) error {
	if _, err := q.Get(context.Background()); err != nil {
		return err
	}
	select {}
}

// TestGetFromTheDead checks that when the last other process that had a queue dies, Get
// returns the remaining values, then ErrPeerDied once, and that the queue then works.
func TestGetFromTheDead(t *testing.T) {
	q := made(mp.NewQueue[int](mp.Processes, 0))
	p := made(mp.Start(t.Context(), mp.Processes, putTwoAndWait, q))
	expect(t, 0)(q.Get(watchdog(t)))
	for q.Len() == 0 {
		time.Sleep(time.Millisecond)
	}
	kill(t, p)
	expect(t, 1)(q.Get(watchdog(t)))
	if _, err := q.Get(watchdog(t)); !errors.Is(err, mp.ErrPeerDied) {
		t.Errorf("got %v", err)
	}
	short, cancel := context.WithTimeout(watchdog(t), 100*time.Millisecond)
	defer cancel()
	if _, err := q.Get(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second time: %v", err)
	}
	again := made(mp.Start(t.Context(), mp.Processes, putTwoAndWait, q))
	expect(t, 0)(q.Get(watchdog(t)))
	expect(t, 1)(q.Get(watchdog(t)))
	time.AfterFunc(20*time.Millisecond, func() { _ = again.Kill() })
	if _, err := q.Get(watchdog(t)); !errors.Is(err, mp.ErrPeerDied) {
		t.Errorf("got %v", err)
	}
}

func kill(t *testing.T, p *mp.Process) {
	t.Helper()
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	endsWith(t, p, nil, "signal 9", -9)
}

// TestPutForTheDead checks that a Put fails if it waits for dead processes, and that
// later ones do not hang.
func TestPutForTheDead(t *testing.T) {
	q := made(mp.NewQueue[int](mp.Processes, 2))
	p := made(mp.Start(t.Context(), mp.Processes, getOneAndWait, q))
	for i := range 3 {
		if err := q.Put(watchdog(t), i); err != nil {
			t.Fatal(err)
		}
	}
	kill(t, p)
	for range 3 {
		if err := q.Put(watchdog(t), 9); !errors.Is(err, mp.ErrPeerDied) {
			t.Errorf("got %v", err)
		}
	}
	expect(t, 1)(q.Get(watchdog(t)))
	if err := q.Put(watchdog(t), 3); err != nil {
		t.Error(err)
	}
	for _, want := range []int{2, 3} {
		expect(t, want)(q.Get(watchdog(t)))
	}
}

// TestGetAfterAnEnd checks that a process that has ended normally does not count as
// dead.
func TestGetAfterAnEnd(t *testing.T) {
	q := made(mp.NewQueue[int](mp.Processes, 0))
	p := made(mp.Start(watchdog(t), mp.Processes, func(q *mp.Queue[int]) error {
		return q.Put(context.Background(), 1)
	}, q))
	endsWith(t, p, nil, "", 0)
	expect(t, 1)(q.Get(watchdog(t)))
	time.AfterFunc(200*time.Millisecond, func() { _ = q.TryPut(2) })
	expect(t, 2)(q.Get(watchdog(t)))
}

func takeAndWait(q *mp.JoinableQueue[int]) error {
	for range 2 {
		if _, err := q.Get(context.Background()); err != nil {
			return err
		}
	}
	if err := q.TaskDone(); err != nil {
		return err
	}
	select {}
}

// TestJoinAfterADeath checks that Join reports values that were lost with dead
// processes, once, and does not wait for them, even if other processes still have the
// queue.
func TestJoinAfterADeath(t *testing.T) {
	q := made(mp.NewJoinableQueue[int](mp.Processes, 0))
	other := made(mp.Start(t.Context(), mp.Processes, func(q *mp.JoinableQueue[int]) { select {} }, q))
	defer func() { _ = other.Kill() }()
	for i := range 4 {
		if err := q.Put(watchdog(t), i); err != nil {
			t.Fatal(err)
		}
	}
	p := made(mp.Start(t.Context(), mp.Processes, takeAndWait, q))
	for q.Len() > 2 {
		time.Sleep(time.Millisecond)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = p.Kill() })
	err := q.Join(watchdog(t))
	if !errors.Is(err, mp.ErrPeerDied) || !strings.Contains(err.Error(), "1 values") {
		t.Errorf("got %v", err)
	}
	for range 2 {
		if _, err := q.Get(watchdog(t)); err != nil {
			t.Error(err)
		}
		if err := q.TaskDone(); err != nil {
			t.Error(err)
		}
	}
	if err := q.Join(watchdog(t)); err != nil {
		t.Errorf("in the end: %v", err)
	}
	if err := q.TaskDone(); err == nil {
		t.Error("one TaskDone too many")
	}
}

type register struct {
	RW    *mp.RWMutex
	Words *mp.Array[int]
	Stop  *mp.Event
}

// readAndWrite checks that no process writes while it reads.
func readAndWrite(r register) error {
	w := r.Words.Slice()
	for i := range 2000 {
		if i%10 == 0 {
			r.RW.Lock()
			w[0]++
			w[1]++
			r.RW.Unlock()
			continue
		}
		r.RW.RLock()
		if w[0] != w[1] {
			r.RW.RUnlock()
			return errors.New("a reader beside a writer")
		}
		r.RW.RUnlock()
	}
	return nil
}

func TestRWMutexExcludes(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		r := register{RW: made(mp.NewRWMutex(b)), Words: made(mp.NewArray[int](b, 2))}
		team(t, b, readAndWrite, r)
		if n := r.Words.Slice()[0]; n != parties*200 {
			t.Errorf("written %d times", n)
		}
		r.RW.RLock()
		if r.RW.TryLock() || !r.RW.TryRLock() {
			t.Error("one reads: a second may, and no writer")
		}
		r.RW.RUnlock()
		r.RW.RUnlock()
		defer func() {
			if recover() == nil {
				t.Error("an RUnlock too many")
			}
		}()
		r.RW.RUnlock()
	})
}

func readForEver(r register) {
	r.RW.RLock()
	r.Stop.Set()
	select {}
}

func writeForEver(r register) {
	r.RW.Lock()
	r.Stop.Set()
	select {}
}

// TestRWMutexOfTheDead checks that neither a dead reader nor a dead writer keeps an
// RWMutex locked.
func TestRWMutexOfTheDead(t *testing.T) {
	for i, hold := range []func(register){readForEver, writeForEver, readForEver} {
		r := register{made(mp.NewRWMutex(mp.Processes)), nil, made(mp.NewEvent(mp.Processes))}
		p := made(mp.Start(t.Context(), mp.Processes, hold, r))
		if err := r.Stop.Wait(watchdog(t)); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(20*time.Millisecond, func() { _ = p.Kill() })
		if i < 2 {
			if err := r.RW.LockContext(watchdog(t)); err != nil {
				t.Fatal(err)
			}
			r.RW.Unlock()
		}
		if err := r.RW.RLockContext(watchdog(t)); err != nil {
			t.Fatal(err)
		}
		r.RW.RUnlock()
		_ = p.Join(watchdog(t))
	}
}

func doOne(g *mp.WaitGroup) { g.Done() }

func TestWaitGroup(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		g := made(mp.NewWaitGroup(b))
		for range parties {
			g.Add(1)
			_ = made(mp.Start(watchdog(t), b, doOne, g))
		}
		g.Go(func() {})
		if err := g.WaitContext(watchdog(t)); err != nil {
			t.Error(err)
		}
		g.Wait()
		defer func() {
			if recover() == nil {
				t.Error("a Done too many")
			}
		}()
		g.Done()
	})
}

func TestBoundedSemaphore(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		s := made(mp.NewBoundedSemaphore(b, 1))
		if err := s.Acquire(watchdog(t)); err != nil {
			t.Error(err)
		}
		s.Release()
		defer func() {
			if recover() == nil {
				t.Error("a Release too many")
			}
		}()
		s.Release()
	})
}
