package mp

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// A Lock excludes others, goroutines or processes. If the process that holds
// it dies, the next that wants it gets it, and Recovered counts that: what the
// lock protects may be half-changed then. A Lock is a sync.Locker, and the zero
// Lock is one for goroutines.
//
// It is sent to a child within the argument of a function.
type Lock struct{ at home }

func (l *Lock) mutex() mutex { return mutex{l.at.cell(cellSize), 0} }

// Where a lock's words are in its cell. The state is 0 if the lock is free,
// else its owner: in the low half, on which waiters sleep, the process id with
// a bit if others may wait, in the high half the process's start time.
const (
	lockState     = 0
	lockRecovered = 8
	lockEnd       = 16

	lockWaiters = 1 << 31
)

// NewLock makes a Lock.
func NewLock(b Backend) (*Lock, error) {
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	made := new(Lock)
	made.at.set(c)
	return made, nil
}

// Lock waits for the lock and takes it.
func (l *Lock) Lock() {
	if l.TryLock() {
		return
	}
	if err := l.LockContext(context.Background()); err != nil {
		panic(err) // cannot be: the context does not end
	}
}

// LockContext is Lock that gives up when ctx ends, with ctx's error.
func (l *Lock) LockContext(ctx context.Context) error {
	m := l.mutex()
	err := m.lock(ctx)
	runtime.KeepAlive(l)
	return err
}

// TryLock takes the lock if it is free, and reports whether it did.
func (l *Lock) TryLock() bool {
	m := l.mutex()
	ok := m.try()
	runtime.KeepAlive(l)
	return ok
}

// Unlock releases the lock. It panics if this process does not have it.
func (l *Lock) Unlock() {
	m := l.mutex()
	m.unlock()
	runtime.KeepAlive(l)
}

// Recovered returns how often the lock was taken from a process that died.
func (l *Lock) Recovered() int { return int(l.mutex().c.u32(lockRecovered).Load()) }

// GobEncode lets a Lock be part of what is sent to a process.
func (l *Lock) GobEncode() ([]byte, error) { return l.at.encode("Lock") }

// GobDecode is the other end of GobEncode.
func (l *Lock) GobDecode(b []byte) error { return l.at.open(b, "Lock") }

// A mutex is the lock at an offset of a cell.
type mutex struct {
	c  *cell
	at int
}

func (m mutex) state() *atomic.Uint64 { return m.c.u64(m.at + lockState) }

func (m mutex) try() bool { return m.state().CompareAndSwap(0, m.c.me.word()) }

// word is the owner as a lock's state.
func (o owner) word() uint64 { return uint64(o.start)<<32 | uint64(o.pid) }

func ownerOf(state uint64) owner {
	return owner{pid: uint32(state) &^ lockWaiters, start: uint32(state >> 32)}
}

// Bounds of how long a waiter sleeps until it looks whether the owner lives.
const (
	firstLook = time.Millisecond
	lastLook  = 50 * time.Millisecond
)

func (m mutex) lock(ctx context.Context) error {
	if m.try() {
		return nil
	}
	me, state := m.c.me, m.state()
	for n := range glancesAt(m.c) {
		// Away from the lock for longer and longer: its owner mostly wants it
		// again at once, and is fast while the memory stays with it.
		pause(min(32<<n, 4096))
		if state.Load() == 0 && m.try() {
			return nil
		}
	}
	for look := firstLook; ; look = min(2*look, lastLook) {
		s := state.Load()
		switch {
		case s == 0:
			// With the bit for waiters: others may be asleep, and only this
			// one was woken.
			if state.CompareAndSwap(0, me.word()|lockWaiters) {
				return nil
			}
			continue
		case s&lockWaiters == 0:
			if !state.CompareAndSwap(s, s|lockWaiters) {
				continue
			}
			s |= lockWaiters
		}
		if err := m.c.wait(ctx, m.at+lockState, uint32(s), look); err != nil {
			return err
		}
		if state.Load() == s && m.inherit(s, me) {
			return nil
		}
	}
}

// inherit takes the lock from an owner that is dead.
func (m mutex) inherit(s uint64, me owner) bool {
	if was := ownerOf(s); was == me || m.c.alive(was) || !m.state().CompareAndSwap(s, me.word()|lockWaiters) {
		return false
	}
	m.c.u32(m.at + lockRecovered).Add(1)
	return true
}

func (m mutex) unlock() {
	s := m.state().Load()
	if was := ownerOf(s); was != m.c.me {
		panic(fmt.Sprintf("mp: unlock of a lock that this process does not hold (held by process %d; 0 is nobody)", was.pid))
	}
	if m.state().Swap(0)&lockWaiters != 0 {
		m.c.wake(m.at+lockState, 1)
	}
}

// glancesAt is how often a waiter looks again, for some 3 µs in all, before it
// sleeps. Where there is one core the owner cannot get on meanwhile.
func glancesAt(c *cell) int {
	if runtime.NumCPU() < 2 {
		return 0
	}
	return 9
}
