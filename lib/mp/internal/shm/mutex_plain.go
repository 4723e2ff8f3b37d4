//go:build !((amd64 || arm64) && go1.26 && !go1.27 && !race)

package shm

import "sync/atomic"

// traced is 1 while a trace is recorded.
var traced atomic.Uint32

// SetTraced turns the fast path of mutexes off if isTraced is true, and on again if it is false.
// While it is off, LockFast returns false.
func SetTraced(isTraced bool) {
	if isTraced {
		traced.Store(1)
	} else {
		traced.Store(0)
	}
}

// LockFast takes the mutex if it is free and Slow is 0, and reports whether it did. It
// may fail spuriously.
func (m *LocalMutex) LockFast() bool {
	return atomic.LoadUint32(&m.Slow)|traced.Load() == 0 && m.Mu.TryLock()
}

// UnlockFast returns false: on this platform only Unlock of the sync.Mutex releases the
// mutex.
func (m *LocalMutex) UnlockFast() bool { return false }
