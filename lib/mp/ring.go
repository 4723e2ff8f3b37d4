package mp

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A ring is a queue with room for a fixed number of values, for any number of
// goroutines, without a lock: a goroutine claims a position at the head or at
// the tail and then has the slot to itself. (D. Vyukov's bounded queue, with
// laps instead of sums, so that a ring of one slot works, and of any number.)
//
// A goroutine that were stopped between claim and release would leave the slot
// behind. In a notebook only the library's own code is not stopped: what claims
// must not be inlined into a cell.
type ring struct {
	_     [cacheLine]byte
	tail  atomic.Uint64 // the next position to put at, and ringClosed
	_     [cacheLine]byte
	head  atomic.Uint64 // the next position to get from
	_     [cacheLine]byte
	elem  *elem
	slots unsafe.Pointer // the values
	// turns tell whose a slot is: 2n is the turn of the putter of lap n, 2n+1
	// that of the getter.
	turns []atomic.Uint32
	next  atomic.Pointer[ring] // takes over, if this one is closed
}

const cacheLine = 64

// A position is a lap, in the high half, and the index of a slot.
const (
	ringLap    = 1 << 32
	ringClosed = 1 << 63
)

func newRing(e *elem, size int) *ring {
	return &ring{elem: e, slots: e.room(size), turns: make([]atomic.Uint32, size)}
}

// after is the position that follows another.
func (r *ring) after(at uint64) uint64 {
	if at++; uint32(at) == uint32(len(r.turns)) {
		return (at - uint64(len(r.turns)) + ringLap) &^ ringClosed
	}
	return at
}

func (r *ring) slot(at uint64) unsafe.Pointer {
	return unsafe.Add(r.slots, uintptr(uint32(at))*r.elem.size)
}

type ringState int

const (
	ringDone  ringState = iota
	ringFull            // there is no room
	ringEmpty           // there is no value
	ringEnded           // closed; for a getter also empty
)

// put adds the value at v.
func (r *ring) put(v unsafe.Pointer) ringState {
	for tries := 0; ; tries++ {
		at := r.tail.Load()
		if at&ringClosed != 0 {
			return ringEnded
		}
		slot, turn := &r.turns[uint32(at)], uint32(at>>32)*2
		if slot.Load() == turn {
			if r.tail.CompareAndSwap(at, r.after(at)) {
				r.elem.move(r.slot(at), v)
				slot.Store(turn + 1)
				return ringDone
			}
		} else if (r.head.Load()+ringLap)&^ringClosed == at {
			return ringFull
		}
		relax(tries)
	}
}

// get moves a value to v.
func (r *ring) get(v unsafe.Pointer) ringState {
	for tries := 0; ; tries++ {
		at := r.head.Load()
		slot, turn := &r.turns[uint32(at)], uint32(at>>32)*2+1
		if slot.Load() == turn {
			if r.head.CompareAndSwap(at, r.after(at)) {
				r.elem.take(v, r.slot(at))
				slot.Store(turn + 1)
				return ringDone
			}
		} else if tail := r.tail.Load(); tail&^ringClosed == at {
			if tail != at {
				return ringEnded
			}
			return ringEmpty
		}
		relax(tries)
	}
}

// length is how many values are in the ring at this moment.
func (r *ring) length() int {
	for {
		head := r.head.Load()
		tail := r.tail.Load() &^ ringClosed
		if r.head.Load() == head {
			laps := (tail>>32 - head>>32) & (1<<31 - 1)
			return int(laps)*len(r.turns) + int(uint32(tail)) - int(uint32(head))
		}
	}
}

// close lets no more values in.
func (r *ring) close() { r.tail.Or(ringClosed) }

// relax waits for another goroutine, longer from one try to the next: who
// stays away from a position leaves the memory that it is in to the others.
func relax(tries int) {
	if tries > 5 {
		runtime.Gosched()
		return
	}
	shm.Pause(32 << tries)
}
