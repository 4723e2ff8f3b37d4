package tracing

import (
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Unlocked is 0, and NeverUnlocked while this process is recorded. A fast path that takes
// a lock compares the lock's bit with it instead of 0: so it fails while there is
// something to log, and is no slower otherwise.
var Unlocked atomic.Uint64

// NeverUnlocked differs from 0 and 1.
const NeverUnlocked = 2

// special has the bits below. They are in one word, so that IsPlain reads only one.
var special atomic.Uint32

const (
	isRecorded = 1 << iota
	isCancelled
)

// IsPlain reports whether a wait needs nothing but the wait itself: nothing cancels waits
// of goroutines, and this process is not recorded.
func IsPlain() bool { return special.Load() == 0 }

// SetCancelled sets whether waits may be cancelled.
func SetCancelled(may bool) { setSpecial(isCancelled, may) }

func setSpecial(bit uint32, on bool) {
	if on {
		special.Or(bit)
	} else {
		special.And(^bit)
	}
}

// setRecorded makes the fast paths of locks, queues and waits fail, or not.
func setRecorded(on bool) {
	shm.SetTraced(on)
	setSpecial(isRecorded, on)
	Unlocked.Store(0)
	if on {
		Unlocked.Store(NeverUnlocked)
	}
}
