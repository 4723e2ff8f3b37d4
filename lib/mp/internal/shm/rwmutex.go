package shm

import "context"

// An RWMutex is the lock for many readers, or one writer, that an Object of RWMutexSize
// bytes is. If a process that reads dies, its readers are gone; if it writes, the next
// that wants the lock gets it.
type RWMutex struct{ O *Object }

// Each process counts its readers in a separate word, so that readers do not
// wait for each other's memory: its count in the low half and, in the high half,
// the process, so that what a dead one left in the place does not count.
const (
	rwWriter  = LockEnd     // u64, the process that writes or waits to; its readers sleep on the low half
	rwDrained = LockEnd + 8 // u32, counts up when a reader leaves and a writer waits

	rwReaders   = 64
	rwStride    = 32
	rwPlaces    = 88
	RWMutexSize = rwReaders + rwPlaces*rwStride
)

// lock is the writers' lock.
func (m RWMutex) lock() Mutex { return Mutex{O: m.O} }

// Recovered returns how often the lock was taken from a process that died writing.
func (m RWMutex) Recovered() uint32 { return m.lock().Recovered() }

// Lock waits until no process has the lock and takes it to write. Its error is ctx's or
// ErrClosed.
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

// TryLock takes the lock to write if no process has it, and reports whether it did.
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

// Unlock releases the lock after writing. It panics if this process does not have it.
func (m RWMutex) Unlock() {
	if m.O.U64(rwWriter).Load() != m.O.Me().Word() {
		panic("mp: unlock of an RWMutex that this process does not hold to write")
	}
	m.O.U64(rwWriter).Store(0)
	m.O.Wake(rwWriter, All)
	m.lock().Unlock()
}

// RLock waits until no process writes and takes the lock to read. Its error is ctx's or
// ErrClosed.
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

// TryRLock takes the lock to read if no process writes or waits to, and reports
// whether it did.
func (m RWMutex) TryRLock() bool {
	if m.isUncounted() {
		return m.TryLock()
	}
	return m.tryRead()
}

// RUnlock undoes one RLock. It panics if this process does not read.
func (m RWMutex) RUnlock() {
	switch {
	case m.isUncounted():
		m.Unlock()
	case !m.leave():
		panic("mp: RUnlock of an RWMutex that this process does not hold to read")
	}
}

// isUncounted reports whether there are too many processes to count this one's readers:
// they write, then.
func (m RWMutex) isUncounted() bool { return m.O.IsShared() && m.O.Index() < 0 }

// isRead reports whether a living process reads.
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

// readerTag tells a process from others that have had the same place.
func readerTag(o Owner) uint64 { return uint64(o.PID*0x9e3779b1 ^ o.Start) }

// count adds d to this process's readers and returns how many there are, or -1 if
// there were none to take away.
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

// succeed takes the mutex from a dead writer.
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

// tryRead counts a reader, unless a writer has the mutex or waits for it.
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

// leave takes a reader away, and reports whether there was one.
func (m RWMutex) leave() bool {
	o, n := m.O, m.count(-1)
	if n == 0 && o.U64(rwWriter).Load() != 0 {
		o.U32(rwDrained).Add(1)
		o.Wake(rwDrained, All)
	}
	return n >= 0
}
