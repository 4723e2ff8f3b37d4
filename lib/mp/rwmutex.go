package mp

import (
	"context"
	"runtime"
	"runtime/trace"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/guard"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// An RWMutex is a lock that any number of readers or one writer can hold. A waiting
// writer blocks new readers, so a goroutine that holds a read lock must not call RLock
// again. If a process that reads dies, its read locks are released; if a process that
// writes dies, the next waiter gets the mutex, and Recovered counts that. The zero
// RWMutex works for goroutines.
type RWMutex struct{ at object.Handle }

func (m *RWMutex) lock() shm.RWMutex { return shm.RWMutex{O: m.at.Object(shm.RWMutexSize)} }

func (m *RWMutex) guard() guard.Lock {
	if m == nil {
		panicNil("RWMutex")
	}
	return guard.Lock{Kind: guard.RWMutex, O: m.lock().O}
}

// NewRWMutex makes an RWMutex.
func NewRWMutex(b Backend) (*RWMutex, error) {
	m := new(RWMutex)
	if err := makeHandle(&m.at, b, shm.RWMutexSize); err != nil {
		return nil, err
	}
	return m, nil
}

// Lock waits until the mutex is free and takes it to write. It panics with ErrClosed if
// the mutex is closed.
func (m *RWMutex) Lock() { mustLock(m.LockContext(context.Background())) }

// LockContext is Lock, but returns ctx's error when ctx ends first, and ErrClosed if
// the mutex is closed.
func (m *RWMutex) LockContext(ctx context.Context) error {
	if m == nil {
		return nilError("RWMutex")
	}
	defer runtime.KeepAlive(m)
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	l := m.lock()
	if trace.IsEnabled() || guard.On() {
		return object.LockTraced(ctx, l.O, toWrite, l.TryLock, l.Lock)
	}
	return l.Lock(ctx)
}

// The ways in which a lock is taken, for traces.
const (
	toWrite = false
	toRead  = true
)

// TryLock takes the mutex to write if it is free, and reports whether it did.
func (m *RWMutex) TryLock() bool {
	if m == nil {
		panicNil("RWMutex")
	}
	defer runtime.KeepAlive(m)
	l := m.lock()
	ok := l.TryLock()
	if ok {
		object.TraceLock(l.O, toWrite)
	}
	return ok
}

// Unlock releases the mutex after writing. It panics if this process does not hold it to write.
func (m *RWMutex) Unlock() {
	if m == nil {
		panicNil("RWMutex")
	}
	defer runtime.KeepAlive(m)
	l := m.lock()
	object.TraceUnlock(l.O, toWrite)
	l.Unlock()
}

// RLock waits until no writer holds the mutex or waits for it, and takes it to read. It
// panics with ErrClosed if the mutex is closed.
func (m *RWMutex) RLock() { mustLock(m.RLockContext(context.Background())) }

// RLockContext is RLock, but returns ctx's error when ctx ends first, and ErrClosed if
// the mutex is closed.
func (m *RWMutex) RLockContext(ctx context.Context) error {
	if m == nil {
		return nilError("RWMutex")
	}
	defer runtime.KeepAlive(m)
	l := m.lock()
	if l.TryRLock() {
		object.TraceLock(l.O, toRead)
		return nil
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	return object.LockTraced(ctx, l.O, toRead, l.TryRLock, l.RLock)
}

// TryRLock takes the mutex to read if no writer holds it or waits for it, and reports
// whether it did.
func (m *RWMutex) TryRLock() bool {
	if m == nil {
		panicNil("RWMutex")
	}
	defer runtime.KeepAlive(m)
	l := m.lock()
	ok := l.TryRLock()
	if ok {
		object.TraceLock(l.O, toRead)
	}
	return ok
}

// RUnlock undoes one RLock. It panics if this process does not hold the mutex to read.
func (m *RWMutex) RUnlock() {
	if m == nil {
		panicNil("RWMutex")
	}
	defer runtime.KeepAlive(m)
	l := m.lock()
	object.TraceUnlock(l.O, toRead)
	l.RUnlock()
}

// RLocker returns a Locker whose Lock is RLock and whose Unlock is RUnlock.
func (m *RWMutex) RLocker() sync.Locker {
	if m == nil {
		panicNil("RWMutex")
	}
	return (*rlocker)(m)
}

type rlocker RWMutex

func (r *rlocker) Lock()   { (*RWMutex)(r).RLock() }
func (r *rlocker) Unlock() { (*RWMutex)(r).RUnlock() }

// Recovered returns how often the mutex was taken from a process that died writing.
func (m *RWMutex) Recovered() int {
	if m == nil {
		panicNil("RWMutex")
	}
	return int(m.lock().Recovered())
}

// Close closes the mutex in every process, as Mutex.Close does.
func (m *RWMutex) Close() {
	if m == nil {
		panicNil("RWMutex")
	}
	m.lock().O.Close()
}

// GobEncode lets an RWMutex be part of a value that is sent to a process, as a reference.
func (m *RWMutex) GobEncode() ([]byte, error) {
	if m == nil {
		return nil, nilError("RWMutex")
	}
	return m.at.Encode("RWMutex")
}

// GobDecode is the inverse of GobEncode.
func (m *RWMutex) GobDecode(b []byte) error {
	if m == nil {
		return nilError("RWMutex")
	}
	return m.at.Open(b, "RWMutex")
}
