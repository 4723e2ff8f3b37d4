package mp

import (
	"runtime"
	"sync/atomic"
)

// A ring is a queue with room for a fixed number of values, for any number of
// goroutines, without a lock: a goroutine claims a position at the head or at
// the tail and then has the slot to itself. (D. Vyukov's bounded queue, with
// laps instead of sums, so that a ring of one slot works, and of any number.)
//
// Nothing here may be inlined into a caller: a goroutine that is stopped between
// claim and release would leave the slot behind, and in a notebook only the
// library's own code is not stopped.
type ring[T any] struct {
	_     [cacheLine]byte
	tail  atomic.Uint64 // the next position to put at, and ringClosed
	_     [cacheLine]byte
	head  atomic.Uint64 // the next position to get from
	_     [cacheLine]byte
	slots []ringSlot[T]
	next  atomic.Pointer[ring[T]] // takes over, if this one is closed
}

const cacheLine = 64

// A position is a lap, in the high half, and the index of a slot.
const (
	ringLap    = 1 << 32
	ringClosed = 1 << 63
)

// A ringSlot's turn tells whose it is: 2n is that of the putter of lap n, 2n+1
// that of the getter.
type ringSlot[T any] struct {
	turn atomic.Uint32
	v    T
}

func newRing[T any](size int) *ring[T] { return &ring[T]{slots: make([]ringSlot[T], size)} }

// after is the position that follows another.
func (r *ring[T]) after(at uint64) uint64 {
	if at++; uint32(at) == uint32(len(r.slots)) {
		return (at - uint64(len(r.slots)) + ringLap) &^ ringClosed
	}
	return at
}

type ringState int

const (
	ringDone  ringState = iota
	ringFull            // there is no room
	ringEmpty           // there is no value
	ringEnded           // closed; for a getter also empty
)

//go:noinline
func (r *ring[T]) put(v T) ringState {
	for tries := 0; ; tries++ {
		at := r.tail.Load()
		if at&ringClosed != 0 {
			return ringEnded
		}
		s, turn := &r.slots[uint32(at)], uint32(at>>32)*2
		if s.turn.Load() == turn {
			if r.tail.CompareAndSwap(at, r.after(at)) {
				s.v = v
				s.turn.Store(turn + 1)
				return ringDone
			}
		} else if (r.head.Load()+ringLap)&^ringClosed == at {
			return ringFull
		}
		relax(tries)
	}
}

//go:noinline
func (r *ring[T]) get() (v T, state ringState) {
	for tries := 0; ; tries++ {
		at := r.head.Load()
		s, turn := &r.slots[uint32(at)], uint32(at>>32)*2+1
		if s.turn.Load() == turn {
			if r.head.CompareAndSwap(at, r.after(at)) {
				v, s.v = s.v, v
				s.turn.Store(turn + 1)
				return v, ringDone
			}
		} else if tail := r.tail.Load(); tail&^ringClosed == at {
			if tail != at {
				return v, ringEnded
			}
			return v, ringEmpty
		}
		relax(tries)
	}
}

// length is how many values are in the ring at this moment.
func (r *ring[T]) length() int {
	for {
		head := r.head.Load()
		tail := r.tail.Load() &^ ringClosed
		if r.head.Load() == head {
			laps := (tail>>32 - head>>32) & (1<<31 - 1)
			return int(laps)*len(r.slots) + int(uint32(tail)) - int(uint32(head))
		}
	}
}

// close lets no more values in.
func (r *ring[T]) close() { r.tail.Or(ringClosed) }

// relax waits for another goroutine, longer from one try to the next: who
// stays away from a position leaves the memory that it is in to the others.
func relax(tries int) {
	if tries > 5 {
		runtime.Gosched()
		return
	}
	pause(32 << tries)
}

// pause takes about n cycles.
func pause(n int) {
	for range n {
	}
}
