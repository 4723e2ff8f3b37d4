//go:build !((amd64 || arm64) && go1.26 && !go1.27 && !race)

package shm

import "sync/atomic"

// LockFast takes a free mutex whose Slow is 0. It may fail for no reason.
func (m *LocalMutex) LockFast() bool { return atomic.LoadUint32(&m.Slow) == 0 && m.Mu.TryLock() }

// UnlockFast fails: only an Unlock of the sync.Mutex releases it here.
func (m *LocalMutex) UnlockFast() bool { return false }
