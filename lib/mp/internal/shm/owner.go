package shm

import (
	"sync"
	"time"
)

// An Owner identifies a process, by its id and its start time, since the system reuses
// process ids.
type Owner struct {
	PID   uint32
	Start uint32 // start time of the process: low bits of the time since boot, in ticks; 0 if not known
}

// Word returns the owner as one word. Bit 31 of the word is not used.
func (o Owner) Word() uint64 { return uint64(o.Start)<<32 | uint64(o.PID) }

// OwnerOf returns the owner that Word encoded. It ignores bit 31.
func OwnerOf(word uint64) Owner {
	return Owner{PID: uint32(word) &^ lockWaiters, Start: uint32(word >> 32)}
}

// liveness caches which processes are alive, for many waiters that check at once. A
// process that was found dead stays dead.
var liveness struct {
	mu   sync.Mutex
	seen map[Owner]time.Time // when it was last found alive; zero if it is dead
}

// maxSeen is the size at which the cache is emptied.
const maxSeen = 1000

// AliveSince reports whether the process was alive at some time within the last d.
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
