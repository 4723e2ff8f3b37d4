package mp

import (
	"context"
	"runtime"
	"time"
)

// longWait bounds a sleep that ends by being woken; a lost wake-up, which a
// process killed in between may cause, costs this much.
const longWait = 100 * time.Millisecond

// A Semaphore admits a number of holders at once. What a process holds is not
// given back when it dies: unlike a Lock, nobody owns a unit.
type Semaphore struct{ c *cell }

const (
	semCount   = 0
	semWaiters = 4
)

// NewSemaphore makes a Semaphore with n free units.
func NewSemaphore(b Backend, n int) (*Semaphore, error) {
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	c.u32(semCount).Store(uint32(max(n, 0)))
	return &Semaphore{c}, nil
}

// Acquire waits for a unit and takes it. Its error is ctx's.
func (s *Semaphore) Acquire(ctx context.Context) error {
	defer runtime.KeepAlive(s)
	for !s.TryAcquire() {
		s.c.u32(semWaiters).Add(1)
		err := s.c.wait(ctx, semCount, 0, longWait)
		s.c.u32(semWaiters).Add(^uint32(0))
		if err != nil {
			return err
		}
	}
	return nil
}

// TryAcquire takes a unit if one is free, and reports whether it did.
func (s *Semaphore) TryAcquire() bool {
	defer runtime.KeepAlive(s)
	count := s.c.u32(semCount)
	for n := count.Load(); n > 0; n = count.Load() {
		if count.CompareAndSwap(n, n-1) {
			return true
		}
	}
	return false
}

// Release gives back a unit. Any goroutine or process may.
func (s *Semaphore) Release() {
	s.c.u32(semCount).Add(1)
	if s.c.u32(semWaiters).Load() > 0 {
		s.c.wake(semCount, 1)
	}
	runtime.KeepAlive(s)
}

// GobEncode lets a Semaphore be part of what is sent to a process.
func (s *Semaphore) GobEncode() ([]byte, error) { return s.c.encode("Semaphore") }

// GobDecode is the other end of GobEncode.
func (s *Semaphore) GobDecode(b []byte) (err error) {
	s.c, err = openCell(b, "Semaphore")
	return err
}
