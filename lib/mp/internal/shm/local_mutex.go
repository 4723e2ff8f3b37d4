package shm

import (
	"context"
	"sync"
)

// A localMutex is a sync.Mutex, with its speed and its fairness, that a goroutine
// can also wait for until a context ends. Those who do are in a list, and one
// goroutine, the agent, waits in the sync.Mutex for all of them.
type localMutex struct {
	mu   sync.Mutex
	held bool // guarded by mu, but for those who unlock what they do not hold

	list struct {
		sync.Mutex
		sleepers sleepers
		agent    bool
	}
}

func (m *localMutex) tryLock() bool {
	if !m.mu.TryLock() {
		return false
	}
	m.held = true
	return true
}

func (m *localMutex) lockAlways() {
	m.mu.Lock()
	m.held = true
}

func (m *localMutex) lock(ctx context.Context) error {
	if ctx.Done() == nil {
		m.lockAlways()
		return nil
	}
	if m.tryLock() {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return m.await(ctx)
}

// await waits for the agent to hand over the lock.
func (m *localMutex) await(ctx context.Context) error {
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
	mine := s.in == nil // it came at the same time
	if !mine {
		m.list.sleepers.remove(s)
	}
	m.list.Unlock()
	if mine {
		m.unlock()
	}
	return context.Cause(ctx)
}

// work hands the lock to one after the other, until nobody waits in the list.
func (m *localMutex) work() {
	for {
		m.mu.Lock()
		m.list.Lock()
		if m.list.sleepers.first == nil {
			m.list.agent = false
			m.list.Unlock()
			m.mu.Unlock()
			return
		}
		m.held = true
		m.list.sleepers.wake(1)
		m.list.Unlock()
	}
}

func (m *localMutex) unlock() {
	if !m.held {
		panic("mp: unlock of a lock that this process does not hold")
	}
	m.held = false
	m.mu.Unlock()
}
