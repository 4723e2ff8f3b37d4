package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

type sending struct {
	Conn *mp.Conn[numbered]
	Sent *mp.Value[int64] // number of Sends that have returned nil
}

func sendInOrder(ctx context.Context, s sending) error {
	for n := range 300 {
		accident(n)
		if err := s.Conn.Send(ctx, numbered{n * n, fmt.Sprint(n), point{float64(n), 1}}); err != nil {
			return err
		}
		s.Sent.Store(int64(n + 1))
	}
	s.Conn.CloseWrite()
	return nil
}

// pipeInChaos checks that it receives every value whose Send in a child returned nil,
// in order, until the pipe ends.
func pipeInChaos(t *testing.T, end time.Time) {
	for time.Now().Before(end) {
		mine, its, err := mp.NewPipe[numbered](mp.Processes)
		if err != nil {
			t.Error(err)
			return
		}
		s := sending{its, made(mp.NewValue(mp.Processes, int64(0)))}
		p, err := mp.Start(watchdog(t), mp.Processes, sendInOrder, s, quiet)
		if err != nil {
			t.Error(err)
			return
		}
		got := 0
		for {
			v, err := mine.Recv(watchdog(t))
			if err == nil {
				err = v.check(got)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("value %d of the pipe: %v", got, err)
				break
			}
			got++
		}
		if err := p.Join(watchdog(t)); err != nil && !isDeath(err) {
			t.Errorf("the sender: %v", err)
		}
		if sent := int(s.Sent.Load()); got < sent || got > sent+1 {
			t.Errorf("%d values were sent and %d received", sent, got)
		}
		mine.Close()
		s.Sent.Close()
	}
}

type underRWMutex struct {
	RW     *mp.RWMutex
	Inside *mp.Value[int64] // id of the process that writes
}

// writesInChaos takes an RWMutex to write, and fails if another living process writes,
// too.
func writesInChaos(ctx context.Context, r underRWMutex) error {
	self := int64(os.Getpid())
	for n := range 300 {
		accident(n)
		lock, unlock := r.RW.RLockContext, r.RW.RUnlock
		if n%8 == 0 {
			lock, unlock = r.RW.LockContext, r.RW.Unlock
		}
		if err := lock(ctx); err != nil {
			return err
		}
		if w := r.Inside.Load(); w != 0 && w != self && syscall.Kill(int(w), 0) == nil && !isZombie(int(w)) {
			return fmt.Errorf("%w: %d while %d writes", errHeldTwice, self, w)
		}
		if n%8 == 0 {
			r.Inside.Store(self)
			r.Inside.Store(0)
		}
		unlock()
	}
	return nil
}

func rwMutexInChaos(t *testing.T, end time.Time) {
	for time.Now().Before(end) {
		r := underRWMutex{made(mp.NewRWMutex(mp.Processes)), made(mp.NewValue(mp.Processes, int64(0)))}
		joinAll(t, 3, writesInChaos, r)
		if err := r.RW.LockContext(watchdog(t)); err != nil {
			t.Errorf("the RWMutex is free, and it cannot be taken: %v", err)
		} else {
			r.RW.Unlock()
		}
		r.RW.Close()
		r.Inside.Close()
	}
}

// joinAll starts processes and joins them. Each must return nil or die.
func joinAll[A any](t *testing.T, n int, fn func(context.Context, A) error, arg A) {
	var procs []*mp.Process
	for range n {
		p, err := mp.Start(watchdog(t), mp.Processes, fn, arg, quiet)
		if err != nil {
			t.Error(err)
			continue
		}
		procs = append(procs, p)
	}
	for _, p := range procs {
		if err := p.Join(watchdog(t)); err != nil && !isDeath(err) {
			t.Error(err)
		}
	}
}

func meetInChaos(ctx context.Context, b *mp.Barrier) error {
	for n := range 100 {
		accident(n)
		if _, err := b.Wait(ctx); errors.Is(err, mp.ErrBroken) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// barrierInChaos makes processes meet at a barrier until one dies. The others must not
// hang.
func barrierInChaos(t *testing.T, end time.Time) {
	for time.Now().Before(end) {
		b := made(mp.NewBarrier(mp.Processes, 3))
		joinAll(t, 3, meetInChaos, b)
		b.Close()
	}
}

type grandchild struct {
	PIDs *mp.Array[atomic.Int64]
	N    int
}

func waitForTheEnd(g grandchild) {
	g.PIDs.Slice()[g.N].Store(int64(os.Getpid()))
	select {}
}

func bringUp(ctx context.Context, pids *mp.Array[atomic.Int64]) error {
	for n := range len(pids.Slice()) {
		if _, err := mp.Start(ctx, mp.Processes, waitForTheEnd, grandchild{pids, n}, quiet); err != nil {
			return err
		}
	}
	select {}
}

// parentInChaos kills processes that have children. These must end, too.
func parentInChaos(t *testing.T, end time.Time) {
	for time.Now().Before(end) {
		pids := made(mp.NewArray[atomic.Int64](mp.Processes, 3))
		p, err := mp.Start(watchdog(t), mp.Processes, bringUp, pids, quiet)
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		_ = p.Kill()
		if err := p.Join(watchdog(t)); !isDeath(err) {
			t.Errorf("the parent: %v", err)
		}
		for i := range pids.Slice() {
			ctx := watchdog(t)
			for {
				pid := int(pids.Slice()[i].Load())
				if pid == 0 || syscall.Kill(pid, 0) != nil || isZombie(pid) {
					break
				}
				if ctx.Err() != nil {
					t.Errorf("process %d outlives its parent", pid)
					break
				}
				time.Sleep(time.Millisecond)
			}
		}
		pids.Close()
	}
}
