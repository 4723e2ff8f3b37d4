package shm

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// Offsets of a mutex's words from its beginning. The state is 0 if the mutex is free,
// else its owner. The low half, on which waiters sleep, is the process id and a bit
// that is set if there may be waiters. The high half is the start time of the process.
const (
	lockState     = 0 // u64
	lockRecovered = 8 // u32
	LockEnd       = 16

	lockWaiters = 1 << 31
)

// A Mutex is the lock at offset At of an Object. If the process that holds it dies, the
// next waiter gets it.
type Mutex struct {
	O  *Object
	At int
}

func (m Mutex) state() *atomic.Uint64 { return m.O.U64(m.At + lockState) }

// TryLock takes the lock if it is free, and reports whether it did.
func (m Mutex) TryLock() bool {
	if m.O.local != nil {
		return m.O.local.mutex.TryLock()
	}
	return m.state().CompareAndSwap(0, m.O.me.Word())
}

// Lock waits for the lock and takes it. It returns the cause of ctx if ctx ends first, and
// ErrClosed if the object is closed.
func (m Mutex) Lock(ctx context.Context) error {
	if m.O.local != nil {
		return m.O.local.mutex.Lock(ctx)
	}
	if m.TryLock() {
		return nil
	}
	return m.lockSlow(ctx)
}

func (m Mutex) lockSlow(ctx context.Context) error {
	me, state := m.O.me, m.state()
	mine := me.Word()
	for {
		for n := range glances() {
			// The pauses become longer, because the owner usually takes the lock again at once, and is
			// fast while the cache line stays with its core.
			Pause(min(32<<n, 4096))
			if state.Load() == 0 && state.CompareAndSwap(0, mine) {
				return nil
			}
		}
		s := state.Load()
		switch {
		case s == 0:
			if state.CompareAndSwap(0, mine) {
				return nil
			}
			continue
		case s&lockWaiters == 0:
			if !state.CompareAndSwap(s, s|lockWaiters) {
				continue
			}
			s |= lockWaiters
		}
		// From now on, take the lock with the bit for waiters: others may sleep, and an
		// Unlock wakes only one.
		mine = me.Word() | lockWaiters
		owner := OwnerOf(s)
		dead := func() bool { return owner != me && state.Load() == s && !owner.AliveSince(firstLook) }
		if err := m.O.Wait(ctx, m.At+lockState, uint32(s), Watch{Suspect: dead, One: true}); err != nil {
			return err
		}
		if owner != me && state.Load() == s && !owner.AliveSince(time.Second) && m.inherit(s) {
			return nil
		}
	}
}

// inherit takes the lock from a dead owner, if its state is still s.
func (m Mutex) inherit(s uint64) bool {
	if !m.state().CompareAndSwap(s, m.O.me.Word()|lockWaiters) {
		return false
	}
	m.O.U32(m.At + lockRecovered).Add(1)
	return true
}

// Unlock releases the lock. It panics if this process does not hold it.
func (m Mutex) Unlock() {
	if m.O.local != nil {
		m.O.local.mutex.Unlock()
		return
	}
	if m.state().CompareAndSwap(m.O.me.Word(), 0) {
		return // no waiters
	}
	s := m.state().Load()
	if was := OwnerOf(s); was != m.O.me {
		panic(fmt.Sprintf("mp: unlock of a lock that this process does not hold (held by process %d; 0 is none)", was.PID))
	}
	if m.state().Swap(0)&lockWaiters != 0 {
		m.O.Wake(m.At+lockState, 1)
	}
}

// IsMine reports whether this process holds the lock. For an object for goroutines it
// returns true.
func (m Mutex) IsMine() bool {
	return m.O.local != nil || OwnerOf(m.state().Load()) == m.O.me
}

// IsHeldHere reports whether this process holds the lock. For an object for goroutines it
// reports whether a goroutine holds the lock.
func (m Mutex) IsHeldHere() bool {
	if m.O.local != nil {
		return m.O.local.mutex.IsHeld()
	}
	return m.IsMine()
}

// Recovered returns how often the lock was taken from a process that died.
func (m Mutex) Recovered() uint32 { return m.O.U32(m.At + lockRecovered).Load() }

// glances returns how often a waiter checks the lock before it sleeps, which takes
// about 3 µs in all. With one core it is 0, since the owner cannot run meanwhile.
func glances() int {
	if runtime.NumCPU() < 2 {
		return 0
	}
	return 9
}

// Pause wastes about n CPU cycles.
func Pause(n int) {
	for range n {
	}
}
