package mp

import (
	"context"
	"runtime"
	"runtime/trace"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/guard"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Mutex is a lock for goroutines or processes. If the process that holds it dies, the
// next waiter gets the mutex, and Recovered counts this: the data that the mutex protects
// may then be inconsistent. A Mutex is a sync.Locker. The zero Mutex works for
// goroutines, and is as fast and as fair as a sync.Mutex.
//
// To share a Mutex with a child, send it as the argument of a function or within it.
type Mutex struct {
	own shm.LocalMutex // not used if the object is shared; Slow is 1 if the mutex is shared or closed
	at  object.Handle
}

// NewMutex makes a Mutex.
func NewMutex(b Backend) (*Mutex, error) {
	m := new(Mutex)
	if err := makeHandle(&m.at, b, object.Size); err != nil {
		return nil, err
	}
	if b != Goroutines {
		m.own.Slow = 1
	}
	return m, nil
}

// shared returns the lock in shared memory; ok is false if the mutex is for goroutines.
func (m *Mutex) shared() (_ shm.Mutex, ok bool) {
	o := m.at.Get()
	return shm.Mutex{O: o}, o != nil && o.IsShared()
}

// Lock waits for the mutex and takes it. It panics with ErrClosed if the mutex is
// closed, by this process or another.
func (m *Mutex) Lock() {
	if m == nil || !m.own.LockFast() {
		m.lockSlow()
	}
}

//go:noinline
func (m *Mutex) lockSlow() {
	if m != nil && m.isPlain() && mphost.IsPlain() {
		if m.own.Mu.Lock(); m.own.Over.Load() == 0 {
			return
		}
		m.own.Mu.Unlock()
	}
	mustLock(m.LockContext(context.Background()))
}

// isPlain reports whether the mutex is neither shared nor closed.
func (m *Mutex) isPlain() bool { return atomic.LoadUint32(&m.own.Slow) == 0 }

// mustLock panics with err if it is not nil, for locking methods that return no error.
func mustLock(err error) {
	if err != nil {
		panic(err)
	}
}

// waitLock takes l. The wait ends when ctx ends, and when the Host cancels the caller's
// work.
func waitLock(ctx context.Context, l shm.Mutex) error {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	defer tracing.Wait(tracing.WaitLock).End()
	return l.Lock(ctx)
}

func closedLock(l shm.Mutex) error {
	l.Unlock()
	return ErrClosed
}

// LockContext is Lock, but returns ctx's error when ctx ends first, and ErrClosed if
// the mutex is closed.
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
	object.TraceLock(l.O, toWrite)
	return nil
}

// traceOwn reports that a mutex for goroutines was taken or is about to be released. It
// calls log if a trace is recorded, and note if CheckLocks is on, unless an UnlockFast may
// release the mutex.
func (m *Mutex) traceOwn(log func(unsafe.Pointer), note func(o *shm.Object, write bool)) {
	if trace.IsEnabled() {
		log(unsafe.Pointer(m))
	}
	if guard.On() && !m.isPlain() {
		note(m.at.Object(object.Size), true)
	}
}

func (m *Mutex) guard() guard.Lock {
	if m == nil {
		panicNil("Mutex")
	}
	l := guard.Lock{Kind: guard.Mutex, O: m.at.Object(object.Size)}
	if !l.O.IsShared() {
		l.Local = &m.own
	}
	return l
}

func (m *Mutex) lockOwn(ctx context.Context) error {
	if !m.own.TryLock() {
		if err := m.waitOwn(ctx); err != nil {
			return err
		}
	}
	if m.own.Over.Load() != 0 {
		m.own.Unlock()
		return ErrClosed
	}
	m.traceOwn(tracing.LockedLocal, guard.Locked)
	return nil
}

// waitOwn is waitLock for a mutex for goroutines.
func (m *Mutex) waitOwn(ctx context.Context) error {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	defer tracing.Wait(tracing.WaitLock).End()
	return m.own.Lock(ctx)
}

// TryLock takes the mutex if it is free, and reports whether it did. It returns false
// if the mutex is closed.
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
			m.traceOwn(tracing.LockedLocal, guard.Locked)
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
	object.TraceLock(l.O, toWrite)
	return true
}

// Unlock releases the mutex. It panics if this process does not hold it.
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
		object.TraceUnlock(l.O, toWrite)
		l.Unlock()
	} else {
		m.traceOwn(tracing.UnlockingLocal, guard.Unlocking)
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

// Close closes the mutex in every process: waiting and later calls of LockContext
// return ErrClosed, and Lock panics with it.
func (m *Mutex) Close() {
	if m == nil {
		panicNil("Mutex")
	}
	m.own.Over.Store(1)
	atomic.StoreUint32(&m.own.Slow, 1)
	m.at.Object(object.Size).Close()
}

// GobEncode lets a Mutex be part of a value that is sent to a process, as a reference.
func (m *Mutex) GobEncode() ([]byte, error) {
	if m == nil {
		return nil, nilError("Mutex")
	}
	return m.at.Encode("Mutex")
}

// GobDecode is the inverse of GobEncode.
func (m *Mutex) GobDecode(b []byte) error {
	if m == nil {
		return nilError("Mutex")
	}
	m.own.Slow = 1
	return m.at.Open(b, "Mutex")
}

// A Cond is a condition variable with its Mutex. The zero Cond works for goroutines.
type Cond struct {
	L Mutex // must be held while the condition is read or changed
}

// object returns the mutex's object. The word after the lock, condTurns, counts calls
// of Signal and Broadcast.
func (c *Cond) object() *shm.Object { return c.L.at.Object(object.Size) }

const condTurns = shm.LockEnd

// NewCond makes a Cond with a new Mutex.
func NewCond(b Backend) (*Cond, error) {
	l, err := NewMutex(b)
	if err != nil {
		return nil, err
	}
	c := new(Cond)
	c.L.at.Set(l.at.Get())
	c.L.own.Slow = l.own.Slow
	return c, nil
}

// Wait unlocks L, waits for Signal or Broadcast, and locks L again. It may return
// without either, so check the condition in a loop. It panics with ErrClosed if the
// Cond is closed, and with ErrPeerDied if no other process is left to signal.
func (c *Cond) Wait() { mustLock(c.WaitContext(context.Background())) }

// WaitContext is Wait, but returns an error: the error of ctx if ctx ends first,
// ErrClosed or ErrPeerDied. L is locked when it returns, also with an error, unless L is
// shared and closed.
func (c *Cond) WaitContext(ctx context.Context) error {
	if c == nil {
		return nilError("Cond")
	}
	o := c.object()
	turn, losses := o.U32(condTurns).Load(), o.Losses()
	c.L.Unlock()
	err := object.Wait(ctx, o, condTurns, turn, shm.Watch{Peers: true, Losses: losses})
	if again := c.lockAgain(); again != nil {
		return again
	}
	return err
}

// lockAgain locks L, even if the Host cancels the caller's work.
func (c *Cond) lockAgain() error {
	l, ok := c.L.shared()
	if !ok {
		c.L.own.Mu.Lock()
		c.L.traceOwn(tracing.LockedLocal, guard.Locked)
		return nil
	}
	if err := l.Lock(context.Background()); err != nil {
		return err
	}
	if l.O.IsClosed() {
		return closedLock(l)
	}
	object.TraceLock(l.O, toWrite)
	return nil
}

// Signal wakes one waiter.
func (c *Cond) Signal() {
	if c == nil {
		panicNil("Cond")
	}
	c.turn(1)
}

// Broadcast wakes all waiters.
func (c *Cond) Broadcast() {
	if c == nil {
		panicNil("Cond")
	}
	c.turn(shm.All)
}

func (c *Cond) turn(n int) {
	c.object().U32(condTurns).Add(1)
	c.object().Wake(condTurns, n)
	runtime.KeepAlive(c)
}

// Close closes the Cond and its Mutex in every process.
func (c *Cond) Close() {
	if c == nil {
		panicNil("Cond")
	}
	c.L.Close()
}

// GobEncode lets a Cond be part of a value that is sent to a process, as a reference.
func (c *Cond) GobEncode() ([]byte, error) {
	if c == nil {
		return nil, nilError("Cond")
	}
	return c.L.at.Encode("Cond")
}

// GobDecode is the inverse of GobEncode.
func (c *Cond) GobDecode(b []byte) error {
	if c == nil {
		return nilError("Cond")
	}
	c.L.own.Slow = 1
	return c.L.at.Open(b, "Cond")
}
