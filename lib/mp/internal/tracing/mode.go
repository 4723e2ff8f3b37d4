package tracing

import (
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Unlocked is 0, or NeverUnlocked while this process is recorded. The fast path of a lock
// compares the lock's bit with Unlocked instead of 0. So the fast path fails during a
// recording, and is no slower otherwise.
var Unlocked atomic.Uint64

// NeverUnlocked is the value of Unlocked during a recording. It differs from 0 and 1, the
// values of a lock's bit.
const NeverUnlocked = 2

// special has the bits below. They are in one word, so that IsPlain reads only one.
var special atomic.Uint32

const (
	isRecorded = 1 << iota
	isCanceled
)

// IsPlain reports whether a wait needs no extra work, because waits of goroutines cannot be
// canceled and this process is not recorded.
func IsPlain() bool { return special.Load() == 0 }

// SetCanceled sets whether waits may be canceled.
func SetCanceled(may bool) { setBit(&special, isCanceled, may) }

func setBit(word *atomic.Uint32, bit uint32, on bool) {
	if on {
		word.Or(bit)
	} else {
		word.And(^bit)
	}
}

// noted has the bits below: the reasons to note when locks are taken and released.
var noted atomic.Uint32

const (
	forRecording = 1 << iota
	forChecks
)

// AreLocksNoted reports whether the taking and releasing of locks is noted, for a recording
// or for CheckLocks. It reads one word, so that callers can be inlined.
func AreLocksNoted() bool { return noted.Load() != 0 }

// NoteLocks sets whether the taking and releasing of locks is noted for CheckLocks.
func NoteLocks(on bool) { setBit(&noted, forChecks, on) }

// setRecorded turns the fast paths of locks, queues and waits off for a recording, or on
// again.
func setRecorded(on bool) {
	shm.SetTraced(on)
	setBit(&special, isRecorded, on)
	setBit(&noted, forRecording, on)
	Unlocked.Store(0)
	if on {
		Unlocked.Store(NeverUnlocked)
	}
}
