package queue

import (
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A ring is a queue with room for a fixed number of values, for any number of
// goroutines. Those who put and those who get do not wait for each other: each end
// has a lock, which is a bit of the word that counts its values, so that a put or get
// takes two atomic operations, and one cache line that others write, too. Each end
// keeps what it last saw of the other, and looks at the other's line only when that
// does not suffice.
//
// Of the goroutines that find their lock held one competes for it: see end.lock.
type ring struct {
	_        [cacheLine]byte
	tail     end    // counts the values that were put
	putAt    int    // the index of the next slot to put into
	seenHead uint64 // how many values were taken, as putters last saw it
	_        [cacheLine]byte
	head     end
	getAt    int
	seenTail uint64 // likewise
	_        [cacheLine]byte

	elem  *call.Elem
	words bool           // values are words without pointers
	slots unsafe.Pointer // the values
	size  int
	next  atomic.Pointer[ring] // takes over, if this one is closed
}

const cacheLine = 64

// An end is the count of an end of a ring, which is locked to change it and what
// stands beside it.
type end struct {
	word atomic.Uint64 // the count times endCount, and the bits below it
	mu   sync.Mutex    // of those who have found it locked
}

const (
	endLocked = 1 << iota
	endClosed // of the tail: no more values come
	endCount
)

// tryLock locks the end, unless it is locked, and returns its word.
func (e *end) tryLock() (w uint64, ok bool) {
	w = e.word.Load()
	return w, w&endLocked == 0 && e.word.CompareAndSwap(w, w|endLocked)
}

// lock locks the end when tryLock has failed; the caller has its mutex. So one tries
// again and again, and the others sleep: who has the lock has the memory near, and
// does several operations in the time that it takes to move it to another core.
func (e *end) lock() uint64 {
	for n := 0; ; n++ {
		if w, ok := e.tryLock(); ok {
			return w
		}
		relax(n)
	}
}

// relax passes the time until a lock that is held for some nanoseconds is free: the
// system may have stopped the thread that has it.
func relax(n int) {
	const pauses = 6 // 0.5 µs in all
	switch {
	case n < pauses && runtime.NumCPU() > 1:
		shm.Pause(16 << n)
	case n < 100:
		runtime.Gosched()
	default:
		time.Sleep(20 * time.Microsecond)
	}
}

// unlock unlocks the end and stores its word.
func (e *end) unlock(w uint64) { e.word.Store(w) }

func newRing(e *call.Elem, size int) *ring {
	return &ring{elem: e, slots: e.Room(size), size: size, words: isWord(reflect.TypeOf(e.Pointer).Elem())}
}

// isWord reports whether values of t are of eight bytes without a pointer.
func isWord(t reflect.Type) bool {
	_, why := codec.Unshareable(t, "")
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
	w, ok := r.tail.tryLock()
	if !ok {
		r.tail.mu.Lock()
		defer r.tail.mu.Unlock()
		w = r.tail.lock()
	}
	return r.putLocked(w, v)
}

func (r *ring) putLocked(w uint64, v unsafe.Pointer) ringState {
	if n := w / endCount; n-r.seenHead == uint64(r.size) {
		r.seenHead = r.head.word.Load() / endCount
		if n-r.seenHead == uint64(r.size) && w&endClosed == 0 {
			r.tail.unlock(w)
			return ringFull
		}
	}
	if w&endClosed != 0 {
		r.tail.unlock(w)
		return ringEnded
	}
	if r.words {
		*(*uint64)(unsafe.Add(r.slots, 8*r.putAt)) = *(*uint64)(v)
	} else {
		r.elem.Move(r.elem.At(r.slots, r.putAt), v)
	}
	if r.putAt++; r.putAt == r.size {
		r.putAt = 0
	}
	r.tail.unlock(w + endCount)
	return ringDone
}

// get moves a value to v.
func (r *ring) get(v unsafe.Pointer) ringState {
	w, ok := r.head.tryLock()
	if !ok {
		r.head.mu.Lock()
		defer r.head.mu.Unlock()
		w = r.head.lock()
	}
	return r.getLocked(w, v)
}

func (r *ring) getLocked(w uint64, v unsafe.Pointer) ringState {
	if n := w / endCount; n == r.seenTail {
		tail := r.tail.word.Load()
		if r.seenTail = tail / endCount; n == r.seenTail {
			r.head.unlock(w)
			if tail&endClosed != 0 {
				return ringEnded
			}
			return ringEmpty
		}
	}
	if r.words {
		*(*uint64)(v) = *(*uint64)(unsafe.Add(r.slots, 8*r.getAt))
	} else {
		r.elem.Take(v, r.elem.At(r.slots, r.getAt))
	}
	if r.getAt++; r.getAt == r.size {
		r.getAt = 0
	}
	r.head.unlock(w + endCount)
	return ringDone
}

// hasRoom and hasValue report, without a lock, whether a put or get need not wait.
func (r *ring) hasRoom() bool {
	w := r.tail.word.Load()
	return w&endClosed != 0 || w/endCount-r.head.word.Load()/endCount < uint64(r.size)
}

func (r *ring) hasValue() bool {
	head := r.head.word.Load() / endCount
	w := r.tail.word.Load()
	return w&endClosed != 0 || w/endCount != head
}

// length is how many values are in the ring at this moment.
func (r *ring) length() int {
	for {
		head := r.head.word.Load() / endCount
		tail := r.tail.word.Load() / endCount
		if r.head.word.Load()/endCount == head {
			return int(tail - head)
		}
	}
}

// close lets no more values in.
func (r *ring) close() {
	r.tail.mu.Lock()
	defer r.tail.mu.Unlock()
	r.tail.unlock(r.tail.lock() | endClosed)
}
