package shm

import (
	"sync"
	"time"
)

// An Owner is a process for good: process ids are used again, with another
// start time.
type Owner struct {
	PID   uint32
	Start uint32 // low bits of the time since boot, in ticks; 0 if not known
}

// Word is the owner in one word. Bit 31 is free in it.
func (o Owner) Word() uint64 { return uint64(o.Start)<<32 | uint64(o.PID) }

// OwnerOf is the inverse of Word, whatever bit 31 is.
func OwnerOf(word uint64) Owner {
	return Owner{PID: uint32(word) &^ lockWaiters, Start: uint32(word >> 32)}
}

// liveness remembers for a moment which processes live, for the many waiters
// that ask at once. The dead stay dead.
var liveness struct {
	mu   sync.Mutex
	seen map[Owner]time.Time // when it lived; zero if it is dead
}

// maxSeen bounds the size of liveness.
const maxSeen = 1000

// AliveSince reports whether the process lived at some time within the last d.
func (o Owner) AliveSince(d time.Duration) bool {
	liveness.mu.Lock()
	defer liveness.mu.Unlock()
	at, ok := liveness.seen[o]
	if ok && (at.IsZero() || time.Since(at) < d) {
		return !at.IsZero()
	}
	if liveness.seen == nil || len(liveness.seen) > maxSeen {
		liveness.seen = make(map[Owner]time.Time)
	}
	alive := o.Alive()
	if at = time.Now(); !alive {
		at = time.Time{}
	}
	liveness.seen[o] = at
	return alive
}
