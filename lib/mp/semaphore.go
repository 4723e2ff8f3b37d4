package mp

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// longWait bounds a sleep that ends by being woken; a lost wake-up, which a
// process killed in between may cause, costs this much.
const longWait = 100 * time.Millisecond

// A Semaphore admits a number of holders at once. What a process holds is not
// given back when it dies: unlike a Lock, nobody owns a unit. The zero Semaphore
// is one for goroutines, without a free unit.
type Semaphore struct{ at home }

func (s *Semaphore) cell() *cell { return s.at.cell(cellSize) }

const (
	semCount   = 0
	semWaiters = 4
)

// maxUnits is how many units a Semaphore can have.
const maxUnits = 1<<31 - 1

// NewSemaphore makes a Semaphore with n free units, 0 or more.
func NewSemaphore(b Backend, n int) (*Semaphore, error) {
	if n < 0 || n > maxUnits {
		return nil, fmt.Errorf("mp: cannot make a Semaphore with %d units: there must be 0 to %d", n, maxUnits)
	}
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	c.u32(semCount).Store(uint32(n))
	made := new(Semaphore)
	made.at.set(c)
	return made, nil
}

// Acquire waits for a unit and takes it. Its error is ctx's.
func (s *Semaphore) Acquire(ctx context.Context) error {
	defer runtime.KeepAlive(s)
	for !s.TryAcquire() {
		s.cell().u32(semWaiters).Add(1)
		err := s.cell().wait(ctx, semCount, 0, longWait)
		s.cell().u32(semWaiters).Add(^uint32(0))
		if err != nil {
			return err
		}
	}
	return nil
}

// TryAcquire takes a unit if one is free, and reports whether it did.
func (s *Semaphore) TryAcquire() bool {
	defer runtime.KeepAlive(s)
	count := s.cell().u32(semCount)
	for n := count.Load(); n > 0; n = count.Load() {
		if count.CompareAndSwap(n, n-1) {
			return true
		}
	}
	return false
}

// Release gives back a unit. Any goroutine or process may.
func (s *Semaphore) Release() {
	s.cell().u32(semCount).Add(1)
	if s.cell().u32(semWaiters).Load() > 0 {
		s.cell().wake(semCount, 1)
	}
	runtime.KeepAlive(s)
}

// GobEncode lets a Semaphore be part of what is sent to a process.
func (s *Semaphore) GobEncode() ([]byte, error) { return s.at.encode("Semaphore") }

// GobDecode is the other end of GobEncode.
func (s *Semaphore) GobDecode(b []byte) error { return s.at.open(b, "Semaphore") }
