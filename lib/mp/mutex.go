package mp

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Mutex excludes others, goroutines or processes. If the process that holds
// it dies, the next that wants it gets it, and Recovered counts that: what the
// mutex protects may be half-changed then. A Mutex is a sync.Locker, and the zero
// Mutex is one for goroutines, as fast and as fair as a sync.Mutex.
//
// It is sent to a child within the argument of a function.
type Mutex struct {
	own shm.LocalMutex // unless the object at the handle is shared; Slow is 1 if it is, or closed
	at  handle
}

// NewMutex makes a Mutex.
func NewMutex(b Backend) (*Mutex, error) {
	m := new(Mutex)
	if err := m.at.make(b, objectSize); err != nil {
		return nil, err
	}
	m.own.Slow = uint32(btoi(b != Goroutines))
	return m, nil
}

// shared returns the lock in shared memory; ok is false if the mutex is one for
// goroutines.
func (m *Mutex) shared() (_ shm.Mutex, ok bool) {
	o := m.at.get()
	return shm.Mutex{O: o}, o != nil && o.IsShared()
}

// Lock waits for the mutex and takes it. It panics with ErrClosed if the mutex is
// closed, here or in another process.
func (m *Mutex) Lock() {
	if m == nil || !m.own.LockFast() {
		m.lockSlow()
	}
}

//go:noinline
func (m *Mutex) lockSlow() {
	if m != nil && m.isPlain() && !mphost.MayCancel() {
		if m.own.Mu.Lock(); m.own.Over.Load() == 0 {
			return
		}
		m.own.Mu.Unlock()
	}
	mustLock(m.LockContext(context.Background()))
}

// isPlain reports whether the mutex is its sync.Mutex, and nothing else.
func (m *Mutex) isPlain() bool { return atomic.LoadUint32(&m.own.Slow) == 0 }

// mustLock panics if a Lock without a context has an error.
func mustLock(err error) {
	if err != nil {
		panic(err)
	}
}

// waitLock waits until the host cancels what the caller does, too.
func waitLock(ctx context.Context, l shm.Mutex) error {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	return l.Lock(ctx)
}

func closedLock(l shm.Mutex) error {
	l.Unlock()
	return ErrClosed
}

// LockContext is Lock that gives up when ctx ends, with ctx's error. The error of
// a closed Mutex is ErrClosed.
func (m *Mutex) LockContext(ctx context.Context) error {
	if m == nil {
		return nilError("Mutex")
	}
	defer runtime.KeepAlive(m)
	l, ok := m.shared()
	if !ok {
		return m.lockOwn(ctx)
	}
	if !l.TryLock() {
		if err := waitLock(ctx, l); err != nil {
			return err
		}
	}
	if l.O.IsClosed() {
		return closedLock(l)
	}
	return nil
}

func (m *Mutex) lockOwn(ctx context.Context) error {
	if !m.own.TryLock() {
		ctx, release := mphost.WithCancel(ctx)
		defer release()
		if err := m.own.Lock(ctx); err != nil {
			return err
		}
	}
	if m.own.Over.Load() != 0 {
		m.own.Unlock()
		return ErrClosed
	}
	return nil
}

// TryLock takes the mutex if it is free, and reports whether it did. A closed one
// is not free.
func (m *Mutex) TryLock() bool {
	if m == nil {
		panicNil("Mutex")
	}
	defer runtime.KeepAlive(m)
	l, ok := m.shared()
	if !ok {
		if !m.own.TryLock() {
			return false
		}
		if m.own.Over.Load() == 0 {
			return true
		}
		m.own.Unlock()
		return false
	}
	if !l.TryLock() {
		return false
	}
	if l.O.IsClosed() {
		l.Unlock()
		return false
	}
	return true
}

// Unlock releases the mutex. It panics if this process does not have it.
func (m *Mutex) Unlock() {
	if m == nil || !m.own.UnlockFast() {
		m.unlockSlow()
	}
}

//go:noinline
func (m *Mutex) unlockSlow() {
	if m == nil {
		panicNil("Mutex")
	}
	if l, ok := m.shared(); ok {
		l.Unlock()
	} else {
		m.own.Unlock()
	}
	runtime.KeepAlive(m)
}

// Recovered returns how often the mutex was taken from a process that died.
func (m *Mutex) Recovered() int {
	if m == nil {
		panicNil("Mutex")
	}
	defer runtime.KeepAlive(m)
	if l, ok := m.shared(); ok {
		return int(l.Recovered())
	}
	return 0
}

// Close ends the mutex for all who have it: those who wait for it and those who
// come later get ErrClosed.
func (m *Mutex) Close() {
	if m == nil {
		panicNil("Mutex")
	}
	m.own.Over.Store(1)
	atomic.StoreUint32(&m.own.Slow, 1)
	m.at.object(objectSize).Close()
}

// GobEncode lets a Mutex be part of what is sent to a process.
func (m *Mutex) GobEncode() ([]byte, error) {
	if m == nil {
		return nil, nilError("Mutex")
	}
	return m.at.encode("Mutex")
}

// GobDecode is the other end of GobEncode.
func (m *Mutex) GobDecode(b []byte) error {
	if m == nil {
		return nilError("Mutex")
	}
	m.own.Slow = 1
	return m.at.open(b, "Mutex")
}
