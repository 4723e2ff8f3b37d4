package queue

import (
	"reflect"
	"runtime"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// A ring is a queue with room for a fixed number of values, for any number of
// goroutines. Puts and gets do not wait for each other: each end has a lock, which is a
// bit of the word that counts its values. So a put or get takes two atomic operations, and
// uses one cache line that other goroutines write, too. Each end caches what it last read of
// the other, and reads the other's cache line only when that is not enough.
//
// Of the goroutines that find a lock held, one at a time competes for it: see end.lock.
type ring struct {
	_        [cacheLine]byte
	tail     end    // counts the values that were put
	putAt    int    // index of the next slot to put into
	seenHead uint64 // number of values taken, as a put last read it
	_        [cacheLine]byte
	head     end
	getAt    int
	seenTail uint64 // number of values put, as a get last read it
	_        [cacheLine]byte

	elem  *call.Elem
	key   uint64         // of the queue, in traces
	index uint64         // of the ring in its chain
	words bool           // the values are 8 bytes without pointers
	slots unsafe.Pointer // the values
	size  int
	next  atomic.Pointer[ring] // the next ring of the chain; set before this one is closed
}

const cacheLine = 64

// An end is the count of one end of a ring, with a lock for it and for the fields
// beside it.
type end struct {
	word atomic.Uint64 // the count times endCount, plus the bits below
	mu   sync.Mutex    // taken by goroutines that have found the end locked
}

const (
	endLocked = 1 << iota
	endClosed // no more values come; only in the tail
	endCount
)

// tryLock locks the end if it is not locked and this process is not recorded, and returns
// its word.
func (e *end) tryLock() (w uint64, ok bool) {
	w = e.word.Load()
	return w, w&endLocked == tracing.Unlocked.Load() && e.word.CompareAndSwap(w, w|endLocked)
}

// lock locks the end after tryLock has failed. The caller holds e.mu, so only one
// goroutine spins while the others sleep. The holder of the lock has the cache line,
// and can do several operations in the time that a move of the cache line to another
// core takes.
func (e *end) lock() uint64 {
	for n := 0; ; n++ {
		if w := e.word.Load(); w&endLocked == 0 && e.word.CompareAndSwap(w, w|endLocked) {
			return w
		}
		relax(n)
	}
}

// relax waits a moment before attempt n+1 at a lock that is usually held for
// nanoseconds. It waits longer after many attempts, since the system may have stopped
// the thread that holds the lock.
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

// unlock stores the end's word, w, which must not have the lock bit.
func (e *end) unlock(w uint64) { e.word.Store(w) }

func newRing(e *call.Elem, key, index uint64, size int) *ring {
	return &ring{elem: e, key: key, index: index, slots: e.Room(size), size: size, words: isWord(reflect.TypeOf(e.Pointer).Elem())}
}

// isWord reports whether values of t have 8 bytes and no pointers.
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
		if trace.IsEnabled() { // before others can see the value, even if there may be no room for it
			tracing.Send(tracing.KindLocalQueue, r.key, r.number(w))
		}
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
	state := r.getLocked(w, v)
	if !ok && state == ringDone && trace.IsEnabled() {
		tracing.Receive(tracing.KindLocalQueue, r.key, r.number(w))
	}
	return state
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

// number identifies, within a queue, the value that is put or taken at an end with the
// word w.
func (r *ring) number(w uint64) uint64 { return r.index<<48 | w/endCount&(1<<48-1) }

// hasRoom and hasValue report, without a lock, whether a put or get would not wait.
func (r *ring) hasRoom() bool {
	w := r.tail.word.Load()
	return w&endClosed != 0 || w/endCount-r.head.word.Load()/endCount < uint64(r.size)
}

func (r *ring) hasValue() bool {
	head := r.head.word.Load() / endCount
	w := r.tail.word.Load()
	return w&endClosed != 0 || w/endCount != head
}

// length returns the number of values in the ring.
func (r *ring) length() int {
	for {
		head := r.head.word.Load() / endCount
		tail := r.tail.word.Load() / endCount
		if r.head.word.Load()/endCount == head {
			return int(tail - head)
		}
	}
}

// close closes the ring: later puts return ringEnded.
func (r *ring) close() {
	r.tail.mu.Lock()
	defer r.tail.mu.Unlock()
	r.tail.unlock(r.tail.lock() | endClosed)
}
