package shm

import (
	"encoding/hex"
	"iter"
	"os"
	"sync"
	"sync/atomic"
)

// A hub is shared by a process and all that descend from it. Each has a place
// there: the word on which it sleeps for its parked goroutines, how many these
// are, and which words were woken.
//
// Who wakes a word writes its id into any free entry of each process that has
// parked goroutines, with one compare-and-swap, so that one who dies leaves nothing
// half-done. If there is no free entry the process looks at all its words.
type hub struct {
	seg  *Segment
	mine int // this process's place
}

// Offsets in a place of the hub. In place 0, only hubUsed is.
const (
	hubOwner  = 0  // u64
	hubWord   = 8  // u32
	hubParked = 12 // u32
	hubLost   = 16 // u32, 1 if there was no free entry
	hubUsed   = 0  // u32, the places that were ever used
	hubMail   = 64

	hubPlace  = 1024
	hubPlaces = 1024
	hubMails  = (hubPlace - hubMail) / 8
)

// hubs is this process's hub, once it has shared anything.
var hubs struct {
	once sync.Once
	made atomic.Pointer[hub]
	err  error
}

// hubVariable is in the environment of a child: the handle of its parent's hub.
const hubVariable = "PERIJOVE_MP_HUB"

// inherited is what the parent said of its hub. Other programs do not inherit it.
var inherited = func() string {
	v := os.Getenv(hubVariable)
	_ = os.Unsetenv(hubVariable)
	return v
}()

// Environ returns what a child's environment must have, so that its goroutines and
// this process's can wake each other.
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

// hubIfAny returns the hub if another process may sleep in it.
func hubIfAny() *hub {
	if h := hubs.made.Load(); h != nil {
		return h
	}
	if inherited == "" {
		return nil // this process is the first, and has not parked or started any
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

// openHub opens the parent's hub, or makes one.
func openHub() (h *hub, err error) {
	h = new(hub)
	if handle, bad := hex.DecodeString(inherited); bad == nil && len(handle) == handleSize {
		h.seg, _ = openSegment(handle, false, 0) // if that cannot be had any more, another is made
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

// claim takes a place that no process has, or a dead process had. If there is none, it
// takes the last together with others: its owner's wake-ups are late then.
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

// mail yields the ids that were posted to this process, and takes them.
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

// lostMail reports whether there was no place for an id.
func (h *hub) lostMail() bool {
	lost := at32(h.at(h.mine), hubLost)
	return lost.Load() != 0 && lost.Swap(0) != 0
}

// post tells all other processes that have parked goroutines of a wake-up.
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
