package mp

import (
	"context"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A Mutex excludes others, goroutines or processes. If the process that holds
// it dies, the next that wants it gets it, and Recovered counts that: what the
// mutex protects may be half-changed then. A Mutex is a sync.Locker, and the zero
// Mutex is one for goroutines, as fast and as fair as a sync.Mutex.
//
// It is sent to a child within the argument of a function.
type Mutex struct{ at handle }

func (m *Mutex) lock() shm.Mutex { return shm.Mutex{O: m.at.object(objectSize)} }

// NewMutex makes a Mutex.
func NewMutex(b Backend) (*Mutex, error) {
	m := new(Mutex)
	if err := m.at.make(b, objectSize); err != nil {
		return nil, err
	}
	return m, nil
}

// Lock waits for the mutex and takes it. It panics with ErrClosed if the mutex is
// closed, here or in another process.
func (m *Mutex) Lock() {
	l := m.lock()
	if !l.LockLocal(interrupts.Load() == nil) && !l.TryLock() {
		mustLock(waitLock(context.Background(), l))
	}
	if l.O.IsClosed() {
		mustLock(closedLock(l))
	}
	runtime.KeepAlive(m)
}

// mustLock panics if a Lock without a context has an error.
func mustLock(err error) {
	if err != nil {
		panic(err)
	}
}

// waitLock waits until the host cancels what the caller does, too.
func waitLock(ctx context.Context, l shm.Mutex) error {
	ctx, release := hosted(ctx)
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
	defer runtime.KeepAlive(m)
	l := m.lock()
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

// TryLock takes the mutex if it is free, and reports whether it did. A closed one
// is not free.
func (m *Mutex) TryLock() bool {
	defer runtime.KeepAlive(m)
	l := m.lock()
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
	m.lock().Unlock()
	runtime.KeepAlive(m)
}

// Recovered returns how often the mutex was taken from a process that died.
func (m *Mutex) Recovered() int { return int(m.lock().Recovered()) }

// Close ends the mutex for all who have it: those who wait for it and those who
// come later get ErrClosed.
func (m *Mutex) Close() { m.at.object(objectSize).Close() }

// GobEncode lets a Mutex be part of what is sent to a process.
func (m *Mutex) GobEncode() ([]byte, error) { return m.at.encode("Mutex") }

// GobDecode is the other end of GobEncode.
func (m *Mutex) GobDecode(b []byte) error { return m.at.open(b, "Mutex") }
