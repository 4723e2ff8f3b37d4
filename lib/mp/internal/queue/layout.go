package queue

import (
	"time"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Offsets in the object.
const (
	queuePutLock = 0

	// Written with the writers' lock.
	queueTail      = 64  // bytes put in, u64
	queuePut       = 72  // values, u64
	queuePutIntent = 80  // u64, see advance
	queueReused    = 88  // blocks taken from those handed back, u64
	queueBlocks    = 96  // blocks ever used, u64
	queueMapped    = 104 // blocks of the ring that have memory, or had, u64
	queueSeenHead  = 112 // u64
	queueSeenTaken = 120 // u64

	queueGetLock = 128

	// Written with the readers' lock.
	queueHead      = 192 // bytes taken out, u64
	queueTaken     = 200 // values, u64
	queueGetIntent = 208 // u64
	queueFreed     = 216 // blocks handed back, u64
	queueSeenTail  = 224 // u64
	queueDone      = 232 // values dealt with, u64, for JoinableQueue
	queueLost      = 240 // those that died with their takers, u64

	// Seldom written.
	queueReaders   = 256 // that sleep
	queueWriters   = 260
	queueHasty     = 264 // writers far ahead, that sleep
	queueJoiners   = 268
	queuePutMended = 272 // deaths with the lock that were dealt with
	queueGetMended = 276
	queueLimit     = 280 // u64
	queueClosed    = 288
	queueCounted   = 292 // 1 in a JoinableQueue
	queueRing      = 304 // u64, how many blocks there are
	queueReported  = 296 // u64, the lost values that Join has told of
	queueRecord    = 312 // u64, the bytes of a value with its length, if all have the same; else 0

	// Bells, on which the above sleep.
	queueArrived  = 320
	queueLeft     = 324
	queueEased    = 328
	queueFinished = 332

	queueBalance = 4096 // by user, i64: the values that it took and has not dealt with
	queueMap     = 2 * 4096
	queueFree    = queueMap + 4*ringBlocks
	queueData    = queueFree + 4*ringBlocks

	blockSize  = 1 << 18
	ringBlocks = 1 << 14
	maxQueued  = 1<<31 - 1

	// warmBlocks are kept when they are empty; others give back their memory.
	warmBlocks = 64
	// warmBytes is how much a writer is ahead of the readers until it pauses
	// each time it has put paceBytes more, until they have caught up to
	// easyBytes, but no longer than pace.
	warmBytes = 8 << 20
	easyBytes = 4 << 20
	paceBytes = 1 << 20
	pace      = 2 * time.Millisecond
)

// putCount returns how many values were put, and takenCount how many were taken. For
// values that all have one size that follows from the places of the ends: to move one
// of them puts or takes a value, in one step.
func putCount(o *shm.Object) uint64 {
	if record := o.U64(queueRecord).Load(); record > 0 {
		return o.U64(queueTail).Load() / record
	}
	return o.U64(queuePut).Load()
}

func takenCount(o *shm.Object) uint64 {
	if record := o.U64(queueRecord).Load(); record > 0 {
		return o.U64(queueHead).Load() / record
	}
	return o.U64(queueTaken).Load()
}
