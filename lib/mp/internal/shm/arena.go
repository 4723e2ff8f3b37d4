package shm

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// Sizes of slots, and of the segments that are divided into them.
var slotSizes = [...]int{1 << 10, 4 << 10, 16 << 10}

const arenaSize = 1 << 20

func isSlot(size int) bool {
	return size == slotSizes[0] || size == slotSizes[1] || size == slotSizes[2]
}

// A slot is a place for a small object in a segment of this process.
type slot struct {
	seg *Segment
	off int
}

// arenas are the slots that this process gives to objects, by size.
var arenas [len(slotSizes)]arena

// An arena is the slots of one size, in segments that come and go.
type arena struct {
	mu       sync.Mutex
	segments map[*Segment]*used
	free     []slot
	limit    int // as soon as there are that many segments, another needs a collection first
}

// A used tells which slots of a segment are not free.
type used struct {
	n       int
	dropped map[int]bool // by their offsets: this process has no object there, others may
	held    int          // how many of these others had when it was last looked
}

// place finds room for a shared object.
func place(size int) (s *Segment, off, slotSize int, err error) {
	for i, n := range slotSizes {
		if slotHead+size <= n {
			at, err := arenas[i].take(n)
			return at.seg, at.off, n, err
		}
	}
	s, err = NewSegment(largeHead+size, false)
	return s, 0, 0, err
}

func (a *arena) take(size int) (slot, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.free) == 0 {
		a.sweep()
	}
	if len(a.free) == 0 && a.limit > 0 && len(a.segments) >= a.limit {
		a.collect(size)
	}
	if len(a.free) == 0 {
		if err := a.extend(size); err != nil {
			return slot{}, err
		}
	}
	last := len(a.free) - 1
	at := a.free[last]
	a.free = a.free[:last]
	a.segments[at.seg].n++
	mem := at.seg.mem[at.off : at.off+size]
	clear(mem[4:])
	return at, nil
}

// collect has the collector find the objects that the process has dropped. The more
// of them are still there, the later it is tried again.
func (a *arena) collect(size int) {
	a.mu.Unlock()
	runtime.GC()
	time.Sleep(time.Millisecond) // cleanups run in goroutines
	a.mu.Lock()
	a.sweep()
	if slots := len(a.segments) * (arenaSize / size); len(a.free) < slots/2 {
		a.limit = 2 * len(a.segments)
	}
}

func (a *arena) extend(size int) error {
	s, err := NewSegment(arenaSize, false)
	if err != nil {
		return err
	}
	if a.segments == nil {
		a.segments = make(map[*Segment]*used)
	}
	a.segments[s] = &used{dropped: make(map[int]bool)}
	a.limit = max(a.limit, len(a.segments))
	for off := arenaSize - size; off >= 0; off -= size {
		a.free = append(a.free, slot{s, off})
	}
	return nil
}

// drop records that this process has no object in a slot any more.
func (a *arena) drop(at slot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.segments[at.seg]
	if u == nil || u.dropped[at.off] {
		return
	}
	u.dropped[at.off] = true
	if n := len(u.dropped); n == u.n && n > 2*u.held && len(a.segments) > 1 {
		a.reclaim(at.seg, 0)
	}
}

// recently is for how long a process counts as alive where asking again would take
// too much time.
const recently = 10 * time.Millisecond

// sweep frees the dropped slots that no living process has.
func (a *arena) sweep() {
	for s := range a.segments {
		a.reclaim(s, recently)
	}
}

// reclaim frees the dropped slots of a segment that no process has which lived
// within the last d. A segment without a used slot is given up, unless it is the
// only one.
func (a *arena) reclaim(s *Segment, d time.Duration) {
	u := a.segments[s]
	for off := range u.dropped {
		if at := (slot{s, off}); at.reclaim(d) {
			delete(u.dropped, off)
			u.n--
			a.free = append(a.free, at)
		}
	}
	u.held = len(u.dropped)
	if u.n == 0 && len(a.segments) > 1 {
		delete(a.segments, s)
		a.free = slices.DeleteFunc(a.free, func(at slot) bool { return at.seg == s })
		s.Close()
	}
}

// reclaim gives the slot another generation, so that handles on their way are
// stale. One that was just opened undoes that.
func (at slot) reclaim(d time.Duration) bool {
	head := at.seg.mem[at.off : at.off+slotHead]
	if at32(head, headUntracked).Load() != 0 || inUse(head, d) {
		return false
	}
	generation := at32(head, headGeneration)
	generation.Add(1)
	if inUse(head, d) {
		generation.Add(^uint32(0))
		return false
	}
	return true
}

func inUse(head []byte, d time.Duration) bool {
	for i := range users(head) {
		if w := userWord(head, i).Load(); w != 0 && OwnerOf(w).AliveSince(d) {
			return true
		}
	}
	return false
}

// dropped tells that this process has no object in a slot any more.
func dropped(s *Segment, off, size int) {
	for i, n := range slotSizes {
		if n == size {
			arenas[i].drop(slot{s, off})
		}
	}
}
