package mp

import (
	"context"
	"fmt"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A Semaphore admits a limited number of holders at once: each takes a unit. Unlike a
// Mutex, a unit has no owner: if a process dies, the units that it took stay taken. The
// zero Semaphore works for goroutines and has no free units.
type Semaphore struct{ at object.Handle }

// A BoundedSemaphore is a Semaphore that never has more free units than it had at first: a
// Release beyond that panics.
type BoundedSemaphore struct{ Semaphore }

func (s *Semaphore) object() *shm.Object { return s.at.Object(object.Size) }

const (
	semCount   = 0
	semWaiters = 4
	semBound   = 8 // the most free units there may be; 0 if there is no bound
)

// maxUnits is the largest number of free units of a Semaphore.
const maxUnits = 1<<31 - 1

// NewSemaphore makes a Semaphore with n free units; n must not be negative.
func NewSemaphore(b Backend, n int) (*Semaphore, error) {
	s := new(Semaphore)
	if err := s.make(b, n, 0); err != nil {
		return nil, err
	}
	return s, nil
}

// NewBoundedSemaphore makes a BoundedSemaphore with n free units; n must be at least 1.
func NewBoundedSemaphore(b Backend, n int) (*BoundedSemaphore, error) {
	s := new(BoundedSemaphore)
	if err := s.make(b, n, 1); err != nil {
		return nil, err
	}
	s.object().U32(semBound).Store(uint32(n))
	return s, nil
}

func (s *Semaphore) make(b Backend, n, least int) error {
	if n < least || n > maxUnits {
		return fmt.Errorf("mp: cannot make a Semaphore with %d units: the number must be between %d and %d", n, least, maxUnits)
	}
	if err := makeHandle(&s.at, b, object.Size); err != nil {
		return err
	}
	s.object().U32(semCount).Store(uint32(n))
	return nil
}

// Acquire waits for a unit and takes it. It returns the error of ctx if ctx ends first,
// ErrClosed if the Semaphore is closed, and ErrPeerDied if no other process is left that
// could release a unit.
func (s *Semaphore) Acquire(ctx context.Context) error {
	if s == nil {
		return nilError("Semaphore")
	}
	defer runtime.KeepAlive(s)
	if s.TryAcquire() {
		return nil
	}
	o := s.object()
	w := shm.Watch{Peers: true, Losses: o.Losses(), One: true}
	for !s.TryAcquire() {
		o.U32(semWaiters).Add(1)
		err := object.Wait(ctx, o, semCount, 0, w)
		o.U32(semWaiters).Add(^uint32(0))
		if err != nil {
			return err
		}
	}
	s.passOn()
	return nil
}

// passOn wakes another waiter if units are free, since the wake-up of that waiter may
// have been lost.
func (s *Semaphore) passOn() {
	if o := s.object(); o.U32(semCount).Load() > 0 && o.U32(semWaiters).Load() > 0 {
		o.Wake(semCount, 1)
	}
}

// base returns the Semaphore of s, or nil if s is nil. A promoted method would panic
// for a nil s; the methods below return or panic with an error that names the cause.
func (s *BoundedSemaphore) base() *Semaphore {
	if s == nil {
		return nil
	}
	return &s.Semaphore
}

// Acquire is Semaphore.Acquire.
func (s *BoundedSemaphore) Acquire(ctx context.Context) error { return s.base().Acquire(ctx) }

// TryAcquire is Semaphore.TryAcquire.
func (s *BoundedSemaphore) TryAcquire() bool { return s.base().TryAcquire() }

// Release is Semaphore.Release. It panics if the BoundedSemaphore was not made by
// NewBoundedSemaphore.
func (s *BoundedSemaphore) Release() {
	if s != nil && s.object().U32(semBound).Load() == 0 {
		panic(notMade("BoundedSemaphore", "mp.NewBoundedSemaphore"))
	}
	s.base().Release()
}

// Close is Semaphore.Close.
func (s *BoundedSemaphore) Close() { s.base().Close() }

// GobEncode lets a BoundedSemaphore be part of a value that is sent to a process, as a
// reference.
func (s *BoundedSemaphore) GobEncode() ([]byte, error) { return s.base().GobEncode() }

// GobDecode is the inverse of GobEncode.
func (s *BoundedSemaphore) GobDecode(b []byte) error { return s.base().GobDecode(b) }

// TryAcquire takes a unit if one is free, and reports whether it did.
func (s *Semaphore) TryAcquire() bool {
	if s == nil {
		panicNil("Semaphore")
	}
	defer runtime.KeepAlive(s)
	o := s.object()
	count := o.U32(semCount)
	for n := count.Load(); n > 0 && !o.IsClosed(); n = count.Load() {
		if count.CompareAndSwap(n, n-1) {
			return true
		}
	}
	return false
}

// Release gives back a unit. Any goroutine or process may call it. It panics if that
// would exceed the bound of a BoundedSemaphore, or 2³¹-1 free units.
func (s *Semaphore) Release() {
	if s == nil {
		panicNil("Semaphore")
	}
	defer runtime.KeepAlive(s)
	o := s.object()
	most := o.U32(semBound).Load()
	if most == 0 {
		most = maxUnits
	}
	count := o.U32(semCount)
	for {
		n := count.Load()
		if n >= most {
			panic(fmt.Sprintf("mp: cannot release a unit of a Semaphore that has all its %d units already", most))
		}
		if count.CompareAndSwap(n, n+1) {
			break
		}
	}
	if o.U32(semWaiters).Load() > 0 {
		o.Wake(semCount, 1)
	}
}

// Close closes the Semaphore in every process: Acquire returns ErrClosed.
func (s *Semaphore) Close() {
	if s == nil {
		panicNil("Semaphore")
	}
	s.object().Close()
}

// GobEncode lets a Semaphore be part of a value that is sent to a process, as a reference.
func (s *Semaphore) GobEncode() ([]byte, error) {
	if s == nil {
		return nil, nilError("Semaphore")
	}
	return s.at.Encode("Semaphore")
}

// GobDecode is the inverse of GobEncode.
func (s *Semaphore) GobDecode(b []byte) error {
	if s == nil {
		return nilError("Semaphore")
	}
	return s.at.Open(b, "Semaphore")
}
