package shm

import (
	"encoding/hex"
	"iter"
	"os"
	"sync"
	"sync/atomic"
)

// A hub is shared memory of a process and all its descendants. Each process has a place
// there: the word on which one thread sleeps for its parked goroutines, the number of
// these, and entries with the ids of words that were woken.
//
// A process that wakes a word writes the word's id into a free entry of each process
// that has parked goroutines. This takes one compare-and-swap, so a process that dies
// leaves nothing half-done. If there is no free entry, the receiver checks all words on
// which its goroutines wait.
type hub struct {
	seg  *Segment
	mine int // this process's place
}

// Offsets in a place of the hub. Place 0 has only hubUsed.
const (
	hubOwner  = 0  // u64
	hubWord   = 8  // u32
	hubParked = 12 // u32
	hubLost   = 16 // u32, 1 if there was no free entry
	hubUsed   = 0  // u32, the highest place that was ever used
	hubMail   = 64

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

// Environ returns variables for the environment of a child, so that goroutines of the
// child and of this process can wake each other.
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
		at32(h.at(i), hubParked).Store(0)
		used := at32(h.at(0), hubUsed)
		for n := used.Load(); n < uint32(i); n = used.Load() {
			used.CompareAndSwap(n, uint32(i))
		}
		return i
	}
	return hubPlaces - 1
}

func (h *hub) word() *atomic.Uint32   { return at32(h.at(h.mine), hubWord) }
func (h *hub) parked() *atomic.Uint32 { return at32(h.at(h.mine), hubParked) }

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
	used := min(int(at32(h.at(0), hubUsed).Load()), hubPlaces-1)
	for place := 1; place <= used; place++ {
		if there := h.at(place); place != h.mine && at32(there, hubParked).Load() > 0 {
			deliver(there, id)
			at32(there, hubWord).Add(1)
			futexWake(at32(there, hubWord), 1)
		}
	}
}

func deliver(there []byte, id wordID) {
	first := int(id>>8) % hubMails
	for i := range hubMails {
		if at64(there, hubMail+(first+i)%hubMails*8).CompareAndSwap(0, uint64(id)) {
			return
		}
	}
	at32(there, hubLost).Store(1)
}
