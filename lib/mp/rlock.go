package mp

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
)

// An RLock is a Lock that the goroutine which has it can take again; it is
// free when it was unlocked as often. Finding out which goroutine asks takes
// about a microsecond. The zero RLock is one for goroutines.
type RLock struct{ at home }

func (l *RLock) cell() *cell { return l.at.cell(cellSize) }

func (l *RLock) mutex() mutex { return mutex{l.cell(), 0} }

// Beside the lock's state. What a dead owner has left is not the heir's, since
// it names another process.
const (
	rlockGoroutine = lockEnd      // the owner's, 0 if there is none
	rlockDepth     = lockEnd + 8  // how often it has the lock
	rlockProcess   = lockEnd + 16 // whose goroutine that is, as in the lock's state
)

// NewRLock makes an RLock.
func NewRLock(b Backend) (*RLock, error) {
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	made := new(RLock)
	made.at.set(c)
	return made, nil
}

// Lock waits for the lock and takes it, or takes it again.
func (l *RLock) Lock() {
	if err := l.LockContext(context.Background()); err != nil {
		panic(err) // cannot be: the context does not end
	}
}

// LockContext is Lock that gives up when ctx ends, with ctx's error.
func (l *RLock) LockContext(ctx context.Context) error {
	defer runtime.KeepAlive(l)
	if me := goroutineID(); !l.again(me) {
		if err := l.mutex().lock(ctx); err != nil {
			return err
		}
		l.own(me)
	}
	return nil
}

// TryLock takes the lock if it is free or the caller's, and reports whether it did.
func (l *RLock) TryLock() bool {
	defer runtime.KeepAlive(l)
	me := goroutineID()
	if l.again(me) {
		return true
	}
	if !l.mutex().try() {
		return false
	}
	l.own(me)
	return true
}

// own makes the calling goroutine, which has the lock, its owner.
func (l *RLock) own(me uint64) {
	c := l.cell()
	c.u64(rlockProcess).Store(0)
	c.u64(rlockGoroutine).Store(me)
	c.u32(rlockDepth).Store(1)
	c.u64(rlockProcess).Store(c.me.word())
}

// mine reports whether the calling goroutine has the lock. Only it has made the
// words beside the state say so.
func (l *RLock) mine(me uint64) bool {
	c := l.cell()
	return ownerOf(l.mutex().state().Load()) == c.me && c.u64(rlockProcess).Load() == c.me.word() &&
		c.u64(rlockGoroutine).Load() == me
}

func (l *RLock) again(me uint64) bool {
	if !l.mine(me) {
		return false
	}
	l.cell().u32(rlockDepth).Add(1)
	return true
}

// Unlock undoes one Lock. It panics if the calling goroutine does not have the lock.
func (l *RLock) Unlock() {
	defer runtime.KeepAlive(l)
	if !l.mine(goroutineID()) {
		panic("mp: unlock of an RLock that this goroutine does not hold")
	}
	if l.cell().u32(rlockDepth).Add(^uint32(0)) == 0 {
		l.cell().u64(rlockProcess).Store(0)
		l.mutex().unlock()
	}
}

// Recovered returns how often the lock was taken from a process that died.
func (l *RLock) Recovered() int { return int(l.cell().u32(lockRecovered).Load()) }

// GobEncode lets an RLock be part of what is sent to a process.
func (l *RLock) GobEncode() ([]byte, error) { return l.at.encode("RLock") }

// GobDecode is the other end of GobEncode.
func (l *RLock) GobDecode(b []byte) error { return l.at.open(b, "RLock") }

// goroutineID reads the id that tracebacks show. Go offers no other way.
func goroutineID() uint64 {
	var buf [64]byte
	b := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	number, _, _ := bytes.Cut(b, []byte(" "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		panic("mp: the runtime does not name this goroutine")
	}
	return id
}
