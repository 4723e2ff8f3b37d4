package shm

import "context"

// An RWMutex is a lock for many readers or one writer, in an Object of RWMutexSize
// bytes. If a process that reads dies, its read locks are released; if a process that
// writes dies, the next waiter gets the lock.
type RWMutex struct{ O *Object }

// Each process counts its readers in a separate word, so that readers of different
// processes do not wait for the same cache line. The low half of the word is the count.
// The high half identifies the process, so that the count of a dead process that had
// the place before is ignored.
const (
	rwWriter  = LockEnd     // u64, the process that writes or waits to write; waiting readers sleep on the low half
	rwDrained = LockEnd + 8 // u32, incremented when the last reader of a process leaves while a writer waits

	rwReaders   = 64
	rwStride    = 32
	rwPlaces    = 88
	RWMutexSize = rwReaders + rwPlaces*rwStride
)

// lock returns the writers' lock.
func (m RWMutex) lock() Mutex { return Mutex{O: m.O} }

// Recovered returns how often the lock was taken from a process that died writing.
func (m RWMutex) Recovered() uint32 { return m.lock().Recovered() }

// Lock waits until no process holds the lock, and takes it to write. It returns the cause of
// ctx if ctx ends first, and ErrClosed if the object is closed.
func (m RWMutex) Lock(ctx context.Context) error {
	if err := m.lock().Lock(ctx); err != nil {
		return err
	}
	o := m.O
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
			err = o.Wait(ctx, rwDrained, drained, Watch{Suspect: func() bool { return !m.isRead() }})
		}
		if err != nil {
			m.Unlock()
			return err
		}
	}
}

// TryLock takes the lock to write if no process holds it, and reports whether it did.
func (m RWMutex) TryLock() bool {
	if m.O.IsClosed() || !m.lock().TryLock() {
		return false
	}
	m.O.U64(rwWriter).Store(m.O.Me().Word())
	if m.isRead() {
		m.Unlock()
		return false
	}
	return true
}

// Unlock releases the lock after writing. It panics if this process does not hold it to write.
func (m RWMutex) Unlock() {
	if m.O.U64(rwWriter).Load() != m.O.Me().Word() {
		panic("mp: unlock of an RWMutex that this process does not hold to write")
	}
	m.O.U64(rwWriter).Store(0)
	m.O.Wake(rwWriter, All)
	m.lock().Unlock()
}

// RLock waits until no process writes or waits to write, and takes the lock to read. It
// returns the cause of ctx if ctx ends first, and ErrClosed if the object is closed.
func (m RWMutex) RLock(ctx context.Context) error {
	if m.isUncounted() {
		return m.Lock(ctx)
	}
	o := m.O
	for !m.tryRead() {
		writer := o.U64(rwWriter).Load()
		if writer == 0 && !o.IsClosed() {
			continue
		}
		who := OwnerOf(writer)
		dead := func() bool { return o.IsShared() && writer != 0 && !who.AliveSince(0) }
		if err := o.Wait(ctx, rwWriter, uint32(writer), Watch{Suspect: dead}); err != nil {
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

// TryRLock takes the lock to read if no process writes or waits to write, and reports
// whether it did.
func (m RWMutex) TryRLock() bool {
	if m.isUncounted() {
		return m.TryLock()
	}
	return m.tryRead()
}

// RUnlock undoes one RLock. It panics if this process does not hold the lock to read.
func (m RWMutex) RUnlock() {
	switch {
	case m.isUncounted():
		m.Unlock()
	case !m.leave():
		panic("mp: RUnlock of an RWMutex that this process does not hold to read")
	}
}

// IsHeldHere reports whether this process holds the lock to write, or, if write is false, to
// write or read.
func (m RWMutex) IsHeldHere(write bool) bool {
	return m.O.U64(rwWriter).Load() == m.O.Me().Word() || !write && m.count(0) > 0
}

// isUncounted reports whether this process has no place to count its readers, because
// too many processes have the object. Then its readers take the lock to write.
func (m RWMutex) isUncounted() bool { return m.O.IsShared() && m.O.Index() < 0 }

// isRead reports whether a living process holds the lock to read.
func (m RWMutex) isRead() bool {
	o := m.O
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

// readerTag returns a number that differs for processes that had the same place.
func readerTag(o Owner) uint64 { return uint64(o.PID*0x9e3779b1 ^ o.Start) }

// count adds d to the number of this process's readers and returns the new number. If the
// new number would be negative, count changes nothing and returns that number.
func (m RWMutex) count(d int) int {
	o := m.O
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

// succeed removes a dead writer and wakes the waiting readers.
func (m RWMutex) succeed(ctx context.Context, writer uint64) error {
	l := m.lock()
	if err := l.Lock(ctx); err != nil {
		return err
	}
	l.O.U64(rwWriter).CompareAndSwap(writer, 0)
	l.O.Wake(rwWriter, All)
	l.Unlock()
	return nil
}

// tryRead adds a reader unless a process writes or waits to write, and reports whether
// it did.
func (m RWMutex) tryRead() bool {
	o := m.O
	if o.IsClosed() || o.U64(rwWriter).Load() != 0 {
		return false
	}
	m.count(1)
	if o.U64(rwWriter).Load() == 0 {
		return true
	}
	m.leave()
	return false
}

// leave removes a reader of this process, and reports whether there was one.
func (m RWMutex) leave() bool {
	o, n := m.O, m.count(-1)
	if n == 0 && o.U64(rwWriter).Load() != 0 {
		o.U32(rwDrained).Add(1)
		o.Wake(rwDrained, All)
	}
	return n >= 0
}
