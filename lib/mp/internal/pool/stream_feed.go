package pool

import (
	"math"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// maxMinOffer is the largest minOffer.
const maxMinOffer = 256

// ahead returns how many tasks the sequence may be ahead of the loop.
func (j *streamJob) ahead() int { return max(2, j.size) * (protocol.Window + 1) * j.p.o.Workers }

// Feed implements Streaming.Feed. It locks mu only if the sequence is far enough ahead, or
// if a worker may wait for the argument: the sequence limits the speed of a stream of tiny
// tasks, so each lock in Feed costs throughput.
func (j *streamJob) Feed(a unsafe.Pointer) bool {
	n := j.args.added
	if int64(n) >= j.limit.Load() && !j.awaitRoom(n) {
		return false
	}
	j.p.trace(tracing.SendLocal, tracing.KindLocalBatch, unsafe.Pointer(&j.st), n)
	if j.args.full() {
		j.mu.Lock()
		ahead := j.ahead()
		j.mu.Unlock()
		j.args.grow(ahead)
	}
	if !j.args.add(a) {
		return false
	}
	if int64(n+1) >= j.offerAt.Load() {
		j.tell()
	}
	return true
}

// awaitRoom waits until an argument may be added after n others, and reports whether
// more are wanted.
func (j *streamJob) awaitRoom(n int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for !j.args.sealed && n >= j.yielded+j.ahead() {
		j.changed.Wait()
	}
	return !j.args.sealed
}

// tell offers the job to the pool if it has to know of the arguments.
func (j *streamJob) tell() {
	j.mu.Lock()
	tell := j.tellLocked()
	j.mu.Unlock()
	if tell {
		j.p.offer(j)
	}
}

// tellLocked reports whether to offer the job to the pool, and records that it is
// offered. Another worker is woken only for enough tasks: if workers are faster than the
// sequence, each would get one or two tasks at a time, and waking it would cost more than
// the tasks. So fewer tasks wait until running tasks end, or for stealDelay, since a running
// task may take long.
//
// It must be called after each change of a value that it depends on. It stores offerAt
// before it counts the arguments, and Feed adds an argument before it loads offerAt, so at
// least one of them sees the change of the other.
func (j *streamJob) tellLocked() bool {
	for !j.listed {
		few := j.base > j.arrived
		need := 1
		if few && j.waits {
			need = max(1, j.minOffer)
		}
		j.offerAt.Store(int64(j.base + need))
		n := j.args.count() - j.base
		switch {
		case n < need:
			return false
		case few && n < j.minOffer:
			j.waits = true
			time.AfterFunc(stealDelay, j.late)
		default:
			j.listed = true
			j.offerAt.Store(math.MaxInt64)
			return true
		}
	}
	return false
}

// late offers tasks that were too few before.
func (j *streamJob) late() {
	j.mu.Lock()
	j.waits = false
	few := j.minOffer
	j.minOffer = 1
	tell := j.tellLocked()
	j.minOffer = few
	j.mu.Unlock()
	if tell {
		j.p.offer(j)
	}
}
