package mp

import (
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A ring is a queue with room for a fixed number of values, for any number of
// goroutines. Its ends have a lock each, so that those who put and those who get do
// not wait for each other, and each end keeps what it last saw of the other: it
// looks at the other's memory only when that does not suffice. A goroutine that
// finds its lock free takes it again and again while the memory is near; claiming
// places one by one without a lock was several times slower where eight did so.
type ring struct {
	_        [cacheLine]byte
	putMu    sync.Mutex
	putAt    int           // the index of the next slot to put into
	seenHead uint64        // head, as putters last saw it
	tail     atomic.Uint64 // how many values were put, and ringClosed; written with putMu
	_        [cacheLine]byte
	getMu    sync.Mutex
	getAt    int
	seenTail uint64        // likewise
	head     atomic.Uint64 // how many values were taken; written with getMu
	_        [cacheLine]byte

	elem  *elem
	words bool           // values are words without pointers
	slots unsafe.Pointer // the values
	size  int
	next  atomic.Pointer[ring] // takes over, if this one is closed
}

const cacheLine = 64

const ringClosed = 1 << 63

func newRing(e *elem, size int) *ring {
	return &ring{elem: e, slots: e.room(size), size: size, words: isWord(reflect.TypeOf(e.like).Elem())}
}

// isWord reports whether values of t are of eight bytes without a pointer.
func isWord(t reflect.Type) bool {
	_, why := unshareable(t, "")
	return t.Size() == 8 && why == ""
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
	r.putMu.Lock()
	tail := r.tail.Load()
	if tail-r.seenHead >= uint64(r.size) { // also if it is closed
		if tail&ringClosed != 0 {
			r.putMu.Unlock()
			return ringEnded
		}
		r.seenHead = r.head.Load()
		if tail-r.seenHead == uint64(r.size) {
			r.putMu.Unlock()
			return ringFull
		}
	}
	slot := r.elem.at(r.slots, r.putAt)
	if r.words {
		*(*uint64)(slot) = *(*uint64)(v)
	} else {
		r.elem.move(slot, v)
	}
	if r.putAt++; r.putAt == r.size {
		r.putAt = 0
	}
	r.tail.Store(tail + 1)
	r.putMu.Unlock()
	return ringDone
}

// get moves a value to v.
func (r *ring) get(v unsafe.Pointer) ringState {
	if state := r.state(); state != ringDone {
		return state
	}
	r.getMu.Lock()
	head := r.head.Load()
	if head == r.seenTail {
		tail := r.tail.Load()
		if r.seenTail = tail &^ ringClosed; head == r.seenTail {
			r.getMu.Unlock()
			if tail != head {
				return ringEnded
			}
			return ringEmpty
		}
	}
	slot := r.elem.at(r.slots, r.getAt)
	if r.words {
		*(*uint64)(v) = *(*uint64)(slot)
	} else {
		r.elem.take(v, slot)
	}
	if r.getAt++; r.getAt == r.size {
		r.getAt = 0
	}
	r.head.Store(head + 1)
	r.getMu.Unlock()
	return ringDone
}

// state returns ringDone if there may be a value.
func (r *ring) state() ringState {
	head := r.head.Load()
	switch tail := r.tail.Load(); {
	case tail&^ringClosed != head:
		return ringDone
	case tail != head:
		return ringEnded
	}
	return ringEmpty
}

// length is how many values are in the ring at this moment.
func (r *ring) length() int {
	for {
		head := r.head.Load()
		tail := r.tail.Load() &^ ringClosed
		if r.head.Load() == head {
			return int(tail - head)
		}
	}
}

// close lets no more values in.
func (r *ring) close() {
	r.putMu.Lock()
	defer r.putMu.Unlock()
	r.tail.Store(r.tail.Load() | ringClosed)
}
