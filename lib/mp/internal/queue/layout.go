package queue

import (
	"time"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Offsets in the object, in bytes, and constants of the ring.
const (
	queuePutLock = 0

	// Written under the writers' lock.
	queueTail      = 64  // u64, bytes put so far: the position at which the next value is put
	queuePut       = 72  // u64, values put so far
	queuePutIntent = 80  // u64, see advance
	queueReused    = 88  // u64, blocks taken from those handed back
	queueBlocks    = 96  // u64, blocks ever used
	queueMapped    = 104 // u64, blocks of the ring that have or had memory
	queueSeenHead  = 112 // u64, queueHead as a writer last read it
	queueSeenTaken = 120 // u64, values taken so far, as a writer last read it

	queueGetLock = 128

	// Written under the readers' lock.
	queueHead      = 192 // u64, bytes taken so far: the position of the next value to take
	queueTaken     = 200 // u64, values taken so far
	queueGetIntent = 208 // u64, see advance
	queueFreed     = 216 // u64, blocks handed back
	queueSeenTail  = 224 // u64, queueTail as a reader last read it
	queueDone      = 232 // u64, values reported done, in a JoinableQueue
	queueLost      = 240 // u64, values lost because the process that took them died

	// Rarely written.
	queueReaders   = 256 // readers that sleep
	queueWriters   = 260
	queueHasty     = 264 // writers that pause because they are far ahead
	queuePutMended = 272 // deaths with the writers' lock after which the count was corrected
	queueGetMended = 276
	queueLimit     = 280 // u64, the largest number of values; 0 if there is no limit
	queueClosed    = 288
	queueCounted   = 292 // 1 in a JoinableQueue
	queueRing      = 304 // u64, number of blocks in the ring
	queueReported  = 296 // u64, lost values that Join has reported
	queueRecord    = 312 // u64, size of a value with its length, if all have the same size; else 0

	// Words on which the sleepers above wait ("bells").
	queueArrived  = 320
	queueLeft     = 324
	queueEased    = 328
	queueFinished = 332

	queueBalance = 4096 // i64 for each user: values that it took and has not reported done
	queueMap     = 2 * 4096
	queueFree    = queueMap + 4*ringBlocks
	queueData    = queueFree + 4*ringBlocks

	blockSize  = 1 << 18
	ringBlocks = 1 << 14
	maxQueued  = 1<<31 - 1

	// The first warmBlocks blocks keep their memory when they are empty; others return
	// it to the system.
	warmBlocks = 64
	// A writer that is more than warmBytes ahead of the readers pauses each time it has
	// put paceBytes more: until they have caught up to easyBytes, but no longer than
	// pace.
	warmBytes = 8 << 20
	easyBytes = 4 << 20
	paceBytes = 1 << 20
	pace      = 2 * time.Millisecond
)

// putCount returns how many values were put, and takenCount how many were taken. If all
// values have one size, the counts follow from the positions of the ends, so that
// moving an end is the only step of a put or take.
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
