package mp

import (
	"context"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/goroutine"
	"github.com/perijove/perijove/lib/mp/internal/guard"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A ReentrantMutex is a Mutex that the goroutine which holds it can lock again. It is
// free after as many calls of Unlock as of Lock. Lock and Unlock identify the calling
// goroutine, which takes about a microsecond. The zero ReentrantMutex works for
// goroutines.
type ReentrantMutex struct{ at object.Handle }

func (m *ReentrantMutex) object() *shm.Object { return m.at.Object(object.Size) }

func (m *ReentrantMutex) lock() shm.Mutex { return shm.Mutex{O: m.object()} }

// Offsets of the words after the mutex's state. After an owner died, the words still name
// its process, so the next owner does not mistake them for its own.
const (
	reentrantGoroutine = shm.LockEnd      // u64, the goroutine that holds the mutex
	reentrantDepth     = shm.LockEnd + 8  // u32, how often it has locked the mutex
	reentrantProcess   = shm.LockEnd + 16 // u64, the process of that goroutine, 0 if there is none
)

// NewReentrantMutex makes a ReentrantMutex.
func NewReentrantMutex(b Backend) (*ReentrantMutex, error) {
	m := new(ReentrantMutex)
	if err := makeHandle(&m.at, b, object.Size); err != nil {
		return nil, err
	}
	return m, nil
}

// Lock waits for the mutex and takes it. If the calling goroutine holds it, Lock locks
// it once more. It panics with ErrClosed if the mutex is closed.
func (m *ReentrantMutex) Lock() { mustLock(m.LockContext(context.Background())) }

// LockContext is Lock, but returns ctx's error when ctx ends first, and ErrClosed if
// the mutex is closed.
func (m *ReentrantMutex) LockContext(ctx context.Context) error {
	if m == nil {
		return nilError("ReentrantMutex")
	}
	defer runtime.KeepAlive(m)
	me := goroutine.ID()
	if m.again(me) {
		return nil
	}
	l := m.lock()
	if !l.TryLock() {
		if err := waitLock(ctx, l); err != nil {
			return err
		}
	}
	if l.O.IsClosed() {
		return closedLock(l)
	}
	m.own(me)
	object.TraceLock(l.O, toWrite)
	return nil
}

// TryLock takes the mutex if it is free or the calling goroutine holds it, and reports
// whether it did.
func (m *ReentrantMutex) TryLock() bool {
	if m == nil {
		panicNil("ReentrantMutex")
	}
	defer runtime.KeepAlive(m)
	me := goroutine.ID()
	if m.again(me) {
		return true
	}
	if m.object().IsClosed() || !m.lock().TryLock() {
		return false
	}
	m.own(me)
	object.TraceLock(m.object(), toWrite)
	return true
}

// own records the calling goroutine as the owner. The caller has the lock.
func (m *ReentrantMutex) own(me uint64) {
	o := m.object()
	o.U64(reentrantProcess).Store(0)
	o.U64(reentrantGoroutine).Store(me)
	o.U32(reentrantDepth).Store(1)
	o.U64(reentrantProcess).Store(o.Me().Word())
}

func (m *ReentrantMutex) guard() guard.Lock {
	if m == nil {
		panicNil("ReentrantMutex")
	}
	return guard.Lock{Kind: guard.ReentrantMutex, O: m.object()}
}

// isMine reports whether the calling goroutine holds the mutex. While it holds the
// mutex, no other goroutine writes these words.
func (m *ReentrantMutex) isMine(me uint64) bool {
	o := m.object()
	return m.lock().IsMine() && o.U64(reentrantProcess).Load() == o.Me().Word() &&
		o.U64(reentrantGoroutine).Load() == me
}

func (m *ReentrantMutex) again(me uint64) bool {
	if !m.isMine(me) {
		return false
	}
	m.object().U32(reentrantDepth).Add(1)
	return true
}

// Unlock undoes one Lock. It panics if the calling goroutine does not hold the mutex.
func (m *ReentrantMutex) Unlock() {
	if m == nil {
		panicNil("ReentrantMutex")
	}
	defer runtime.KeepAlive(m)
	if !m.isMine(goroutine.ID()) {
		panic("mp: unlock of a ReentrantMutex that this goroutine does not hold")
	}
	if m.object().U32(reentrantDepth).Add(^uint32(0)) == 0 {
		object.TraceUnlock(m.object(), toWrite)
		m.object().U64(reentrantProcess).Store(0)
		m.lock().Unlock()
	}
}

// Recovered returns how often the mutex was taken from a process that died.
func (m *ReentrantMutex) Recovered() int {
	if m == nil {
		panicNil("ReentrantMutex")
	}
	return int(m.lock().Recovered())
}

// Close closes the mutex in every process, as Mutex.Close does.
func (m *ReentrantMutex) Close() {
	if m == nil {
		panicNil("ReentrantMutex")
	}
	m.object().Close()
}

// GobEncode lets a ReentrantMutex be part of a value that is sent to a process, as a reference.
func (m *ReentrantMutex) GobEncode() ([]byte, error) {
	if m == nil {
		return nil, nilError("ReentrantMutex")
	}
	return m.at.Encode("ReentrantMutex")
}

// GobDecode is the inverse of GobEncode.
func (m *ReentrantMutex) GobDecode(b []byte) error {
	if m == nil {
		return nilError("ReentrantMutex")
	}
	return m.at.Open(b, "ReentrantMutex")
}
