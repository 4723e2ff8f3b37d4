package shm

import (
	"context"
	"sync"
	"sync/atomic"
)

// A LocalMutex is a sync.Mutex, with its speed and fairness, whose Lock can end when a
// context ends. Goroutines that wait with such a context are in a list, and one
// goroutine, the agent, waits for the sync.Mutex for all of them.
type LocalMutex struct {
	// Slow makes LockFast and UnlockFast return false if it is not 0. It must lie directly
	// before Mu: see mutex_fast.go.
	Slow uint32
	Mu   sync.Mutex
	Over atomic.Uint32 // 1 if the object is closed

	list struct {
		sync.Mutex
		sleepers sleepers
		agent    bool
	}
}

// TryLock takes the mutex if it is free, and reports whether it did.
func (m *LocalMutex) TryLock() bool {
	return m.Mu.TryLock()
}

func (m *LocalMutex) lockAlways() {
	m.Mu.Lock()
}

// Lock waits for the mutex and takes it. If ctx ends first, it returns the cause of ctx.
func (m *LocalMutex) Lock(ctx context.Context) error {
	if ctx.Done() == nil {
		m.lockAlways()
		return nil
	}
	if m.TryLock() {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return m.await(ctx)
}

// await waits until the agent passes the lock to the caller, or ctx ends.
func (m *LocalMutex) await(ctx context.Context) error {
	s := &sleeper{woken: make(chan struct{}, 1)}
	m.list.Lock()
	m.list.sleepers.add(s)
	if !m.list.agent {
		m.list.agent = true
		go m.work()
	}
	m.list.Unlock()
	select {
	case <-s.woken:
		return nil
	case <-ctx.Done():
	}
	m.list.Lock()
	mine := s.in == nil // the agent passed the lock at the same time
	if !mine {
		m.list.sleepers.remove(s)
	}
	m.list.Unlock()
	if mine {
		m.Unlock()
	}
	return context.Cause(ctx)
}

// work is the agent: it passes the lock to one waiter after the other, until the list is empty.
func (m *LocalMutex) work() {
	for {
		m.Mu.Lock()
		m.list.Lock()
		if m.list.sleepers.first == nil {
			m.list.agent = false
			m.list.Unlock()
			m.Mu.Unlock()
			return
		}
		m.list.sleepers.wake(1)
		m.list.Unlock()
	}
}

// Unlock releases the mutex. It panics if it is not locked.
func (m *LocalMutex) Unlock() {
	if !m.IsHeld() {
		panic("mp: unlock of a lock that this process does not hold")
	}
	m.Mu.Unlock()
}

// IsHeld reports whether a goroutine holds the mutex. Unlock checks it, because an
// Unlock of a free sync.Mutex would end the program.
func (m *LocalMutex) IsHeld() bool {
	if m.Mu.TryLock() {
		m.Mu.Unlock()
		return false
	}
	return true
}
