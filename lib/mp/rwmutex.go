package mp

import (
	"context"
	"runtime"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// An RWMutex is a Mutex that any number of readers can hold together. A writer that
// waits keeps new readers out, so a goroutine must not call RLock twice. If a
// process that reads dies, its readers are gone; if it writes, the next that wants
// the mutex gets it, and Recovered counts that. The zero RWMutex is one for goroutines.
type RWMutex struct{ at handle }

// Each process counts its readers in a word of its own, so that readers do not
// wait for each other's memory: its count in the low half and, in the high half,
// the process, so that what a dead one left in the place counts for nobody.
const (
	rwWriter  = shm.LockEnd     // u64, the process that writes or waits to; its readers sleep on the low half
	rwDrained = shm.LockEnd + 8 // u32, counts up when a reader leaves and a writer waits

	rwReaders = 64
	rwStride  = 32
	rwPlaces  = 88
	rwSize    = rwReaders + rwPlaces*rwStride
)

func (m *RWMutex) object() *shm.Object { return m.at.object(rwSize) }

func (m *RWMutex) lock() shm.Mutex { return shm.Mutex{O: m.object()} }

// NewRWMutex makes an RWMutex.
func NewRWMutex(b Backend) (*RWMutex, error) {
	m := new(RWMutex)
	if err := m.at.make(b, rwSize); err != nil {
		return nil, err
	}
	return m, nil
}

// Lock waits until nobody has the mutex and takes it to write. It panics with
// ErrClosed if the mutex is closed.
func (m *RWMutex) Lock() { mustLock(m.LockContext(context.Background())) }

// LockContext is Lock that gives up when ctx ends, with ctx's error. The error of
// a closed RWMutex is ErrClosed.
func (m *RWMutex) LockContext(ctx context.Context) error {
	if m == nil {
		return nilError("RWMutex")
	}
	defer runtime.KeepAlive(m)
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	l := m.lock()
	if err := l.Lock(ctx); err != nil {
		return err
	}
	o := l.O
	o.U64(rwWriter).Store(o.Me().Word())
	for {
		drained := o.U32(rwDrained).Load()
		err := error(nil)
		if o.IsClosed() {
			err = ErrClosed
		} else if !m.isRead() {
			return nil
		}
		if err == nil {
			err = o.Wait(ctx, rwDrained, drained, shm.Watch{Suspect: func() bool { return !m.isRead() }})
		}
		if err != nil {
			m.Unlock()
			return err
		}
	}
}

// TryLock takes the mutex to write if nobody has it, and reports whether it did.
func (m *RWMutex) TryLock() bool {
	if m == nil {
		panicNil("RWMutex")
	}
	defer runtime.KeepAlive(m)
	l := m.lock()
	if l.O.IsClosed() || !l.TryLock() {
		return false
	}
	l.O.U64(rwWriter).Store(l.O.Me().Word())
	if m.isRead() {
		m.Unlock()
		return false
	}
	return true
}

// Unlock releases the mutex after writing. It panics if this process does not have it.
func (m *RWMutex) Unlock() {
	if m == nil {
		panicNil("RWMutex")
	}
	defer runtime.KeepAlive(m)
	l := m.lock()
	if l.O.U64(rwWriter).Load() != l.O.Me().Word() {
		panic("mp: unlock of an RWMutex that this process does not hold to write")
	}
	l.O.U64(rwWriter).Store(0)
	l.O.Wake(rwWriter, shm.All)
	l.Unlock()
}

// isRead reports whether a living process reads.
func (m *RWMutex) isRead() bool {
	o := m.object()
	if !o.IsShared() {
		return uint32(o.U64(rwReaders).Load()) > 0
	}
	for i := range min(rwPlaces, o.Users()) {
		n := o.U64(rwReaders + i*rwStride).Load()
		if who, ok := o.User(i); ok && uint32(n) > 0 && readerTag(who) == n>>32 && who.AliveSince(0) {
			return true
		}
	}
	return false
}

// readerTag tells a process from others that have had the same place.
func readerTag(o shm.Owner) uint64 { return uint64(o.PID*0x9e3779b1 ^ o.Start) }

// count adds d to this process's readers and returns how many there are, or -1 if
// there were none to take away.
func (m *RWMutex) count(o *shm.Object, d int) int {
	place, tag := max(0, o.Index()), readerTag(o.Me())
	word := o.U64(rwReaders + place*rwStride)
	for {
		was := word.Load()
		n := d
		if was>>32 == tag {
			n += int(uint32(was))
		}
		if n < 0 || word.CompareAndSwap(was, tag<<32|uint64(n)) {
			return n
		}
	}
}

// RLock waits until nobody writes and takes the mutex to read. It panics with
// ErrClosed if the mutex is closed.
func (m *RWMutex) RLock() { mustLock(m.RLockContext(context.Background())) }

// RLockContext is RLock that gives up when ctx ends, with ctx's error. The error of
// a closed RWMutex is ErrClosed.
func (m *RWMutex) RLockContext(ctx context.Context) error {
	if m == nil {
		return nilError("RWMutex")
	}
	defer runtime.KeepAlive(m)
	o := m.object()
	if o.IsShared() && o.Index() < 0 { // too many processes to count
		return m.LockContext(ctx)
	}
	if m.tryRead(o) {
		return nil
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	for !m.tryRead(o) {
		writer := o.U64(rwWriter).Load()
		if writer == 0 && !o.IsClosed() {
			continue
		}
		who := shm.OwnerOf(writer)
		dead := func() bool { return o.IsShared() && writer != 0 && !who.AliveSince(0) }
		if err := o.Wait(ctx, rwWriter, uint32(writer), shm.Watch{Suspect: dead}); err != nil {
			return err
		}
		if dead() && o.U64(rwWriter).Load() == writer {
			if err := m.succeed(ctx, writer); err != nil {
				return err
			}
		}
	}
	return nil
}

// succeed takes the mutex from a dead writer.
func (m *RWMutex) succeed(ctx context.Context, writer uint64) error {
	l := m.lock()
	if err := l.Lock(ctx); err != nil {
		return err
	}
	l.O.U64(rwWriter).CompareAndSwap(writer, 0)
	l.O.Wake(rwWriter, shm.All)
	l.Unlock()
	return nil
}

// tryRead counts a reader, unless somebody writes or waits to.
func (m *RWMutex) tryRead(o *shm.Object) bool {
	if o.IsClosed() || o.U64(rwWriter).Load() != 0 {
		return false
	}
	m.count(o, 1)
	if o.U64(rwWriter).Load() == 0 {
		return true
	}
	m.leave(o)
	return false
}

// leave takes a reader away, and reports whether there was one.
func (m *RWMutex) leave(o *shm.Object) bool {
	n := m.count(o, -1)
	if n == 0 && o.U64(rwWriter).Load() != 0 {
		o.U32(rwDrained).Add(1)
		o.Wake(rwDrained, shm.All)
	}
	return n >= 0
}

// TryRLock takes the mutex to read if nobody writes or waits to, and reports
// whether it did.
func (m *RWMutex) TryRLock() bool {
	if m == nil {
		panicNil("RWMutex")
	}
	defer runtime.KeepAlive(m)
	o := m.object()
	if o.IsShared() && o.Index() < 0 {
		return m.TryLock()
	}
	return m.tryRead(o)
}

// RUnlock undoes one RLock. It panics if this process does not read.
func (m *RWMutex) RUnlock() {
	if m == nil {
		panicNil("RWMutex")
	}
	defer runtime.KeepAlive(m)
	o := m.object()
	if o.IsShared() && o.Index() < 0 {
		m.Unlock()
		return
	}
	if !m.leave(o) {
		panic("mp: RUnlock of an RWMutex that this process does not hold to read")
	}
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

// Close ends the mutex for all who have it, as Mutex.Close does.
func (m *RWMutex) Close() {
	if m == nil {
		panicNil("RWMutex")
	}
	m.object().Close()
}

// GobEncode lets an RWMutex be part of what is sent to a process.
func (m *RWMutex) GobEncode() ([]byte, error) {
	if m == nil {
		return nil, nilError("RWMutex")
	}
	return m.at.encode("RWMutex")
}

// GobDecode is the other end of GobEncode.
func (m *RWMutex) GobDecode(b []byte) error {
	if m == nil {
		return nilError("RWMutex")
	}
	return m.at.open(b, "RWMutex")
}
