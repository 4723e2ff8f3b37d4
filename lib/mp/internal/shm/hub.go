package shm

import (
	"encoding/hex"
	"iter"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A hub is shared memory of a process and all its descendants. Each process has a place
// there: the word on which one thread sleeps on behalf of its parked goroutines, and entries
// with the ids of words that were woken. A bit for each place says whether the process has
// parked goroutines.
//
// A process that wakes a word writes the word's id into a free entry of each process
// that has parked goroutines. This takes one compare-and-swap, so a process that dies
// leaves nothing half-done. If there is no free entry, the receiver checks all words on
// which its goroutines wait, and the sender checks whether the receiver is dead.
type hub struct {
	seg  *Segment
	mine int // this process's place
}

// Offsets in a place of the hub. Place 0 has only the bits.
const (
	hubOwner = 0  // u64
	hubWord  = 8  // u32
	hubLost  = 16 // u32, 1 if the process must check all words
	hubBits  = 0  // u64 each, a bit for each place whose process has parked goroutines
	hubMail  = 64

	hubPlace  = 1024
	hubPlaces = 1024
	hubMails  = (hubPlace - hubMail) / 8
)

// hubs holds this process's hub, which is opened when it is first needed.
var hubs struct {
	once sync.Once
	made atomic.Pointer[hub]
	err  error
}

// hubVariable is the environment variable that passes the handle of the hub to a child.
const hubVariable = "PERIJOVE_MP_HUB"

// inherited is the value of hubVariable, which is removed so that other programs do not get it.
var inherited = func() string {
	v := os.Getenv(hubVariable)
	_ = os.Unsetenv(hubVariable)
	return v
}()

// Environ returns environment variables for a child. With them, goroutines of the child and of
// this process can wake each other.
func Environ() []string {
	h, err := ownHub()
	if err != nil {
		return nil
	}
	handle, err := h.seg.handle()
	if err != nil {
		return nil
	}
	return []string{hubVariable + "=" + hex.EncodeToString(handle)}
}

// hubIfAny returns the hub if another process may have parked goroutines, else nil.
func hubIfAny() *hub {
	if h := hubs.made.Load(); h != nil {
		return h
	}
	if inherited == "" {
		return nil // this process is the first one, and has not parked goroutines or started a child
	}
	h, _ := ownHub()
	return h
}

func ownHub() (*hub, error) {
	hubs.once.Do(func() {
		h, err := openHub()
		if err != nil {
			hubs.err = err
			return
		}
		hubs.made.Store(h)
	})
	return hubs.made.Load(), hubs.err
}

// openHub opens the parent's hub, or makes one if there is none.
func openHub() (h *hub, err error) {
	h = new(hub)
	if handle, bad := hex.DecodeString(inherited); bad == nil && len(handle) == handleSize {
		h.seg, _ = openSegment(handle, false, 0) // if it is gone, a new one is made
	}
	if h.seg == nil {
		if h.seg, err = NewSegment(hubPlace*hubPlaces, false); err != nil {
			return nil, err
		}
	}
	h.mine = h.claim()
	return h, nil
}

func (h *hub) at(place int) []byte { return h.seg.mem[place*hubPlace : (place+1)*hubPlace] }

// claim takes a free place, or that of a dead process. If there is none, this process
// shares the last place with others; then its wake-ups may be late.
func (h *hub) claim() int {
	for i := 1; i < hubPlaces; i++ {
		w := at64(h.at(i), hubOwner)
		was := w.Load()
		if was != 0 && (OwnerOf(was).Alive() || OwnerOf(was) == Self()) || !w.CompareAndSwap(was, Self().Word()) {
			continue
		}
		h.setParked(i, false)
		return i
	}
	return hubPlaces - 1
}

func (h *hub) word() *atomic.Uint32 { return at32(h.at(h.mine), hubWord) }

// bits returns the bits of the places from 64*i on.
func (h *hub) bits(i int) *atomic.Uint64 { return at64(h.at(0), hubBits+8*i) }

// setParked records whether the process at a place has parked goroutines.
func (h *hub) setParked(place int, parked bool) {
	if bit := uint64(1) << (place % 64); parked {
		h.bits(place / 64).Or(bit)
	} else {
		h.bits(place / 64).And(^bit)
	}
}

// others yields the places of the other processes that have parked goroutines.
func (h *hub) others() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range hubPlaces / 64 {
			for set := h.bits(i).Load(); set != 0; set &= set - 1 {
				if place := 64*i + bits.TrailingZeros64(set); place != h.mine && !yield(place) {
					return
				}
			}
		}
	}
}

// mail removes and yields the ids that other processes posted to this one.
func (h *hub) mail() iter.Seq[wordID] {
	return func(yield func(wordID) bool) {
		here := h.at(h.mine)
		for i := range hubMails {
			e := at64(here, hubMail+8*i)
			if e.Load() != 0 && !yield(wordID(e.Swap(0))) {
				return
			}
		}
	}
}

// lostMail reports whether an id was not posted since the last call because no entry was free.
func (h *hub) lostMail() bool {
	lost := at32(h.at(h.mine), hubLost)
	return lost.Load() != 0 && lost.Swap(0) != 0
}

// post notifies all other processes that have parked goroutines of a wake-up of n waiters.
func (h *hub) post(id wordID, n int) {
	if n > 1 {
		id |= idAll
	}
	for place := range h.others() {
		there := h.at(place)
		if !deliver(there, id) {
			h.freeDead(place)
		}
		ring(there)
	}
}

// postCheck makes all other processes that have parked goroutines check all words on which these
// goroutines wait.
func (h *hub) postCheck() {
	for place := range h.others() {
		there := h.at(place)
		if at32(there, hubLost).Swap(1) != 0 { // the process has not handled the last request yet
			h.freeDead(place)
		}
		ring(there)
	}
}

// deliver writes an id into a free entry. If there is none, it makes the process check all words, and returns false.
func deliver(there []byte, id wordID) bool {
	first := int(id>>8) % hubMails
	for i := range hubMails {
		if at64(there, hubMail+(first+i)%hubMails*8).CompareAndSwap(0, uint64(id)) {
			return true
		}
	}
	at32(there, hubLost).Store(1)
	return false
}

// ring wakes the listener of the process at a place.
func ring(there []byte) {
	at32(there, hubWord).Add(1)
	futexWake(at32(there, hubWord), 1)
}

// freeDead frees a place if its process is dead: it was killed with parked goroutines. Meanwhile this process owns the
// place, so that no other one claims it before its bit is cleared.
func (h *hub) freeDead(place int) {
	owner := at64(h.at(place), hubOwner)
	w := owner.Load()
	if w == 0 || place == hubPlaces-1 || OwnerOf(w).AliveSince(time.Second) || !owner.CompareAndSwap(w, Self().Word()) {
		return
	}
	h.setParked(place, false)
	owner.CompareAndSwap(Self().Word(), 0)
}
