package shm

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// slotSizes are the sizes of slots in bytes. arenaSize is the size of the segments that
// are divided into slots.
var slotSizes = [...]int{1 << 10, 4 << 10, 16 << 10}

const arenaSize = 1 << 20

func isSlot(size int) bool {
	return size == slotSizes[0] || size == slotSizes[1] || size == slotSizes[2]
}

// A slot is memory for a small object in a segment that this process made.
type slot struct {
	seg *Segment
	off int
}

// arenas has one arena for each of slotSizes.
var arenas [len(slotSizes)]arena

// An arena allocates slots of one size, in segments that it makes and closes as needed.
type arena struct {
	mu       sync.Mutex
	segments map[*Segment]*used
	free     []slot
	limit    int // number of segments from which on a garbage collection precedes a new one
}

// A used counts the slots of a segment that are not free.
type used struct {
	n       int
	dropped map[int]bool // offsets of slots in which this process has no object any more; other processes may have one
	held    int          // how many of the dropped slots other processes had at the last check
}

// place allocates memory for a shared object. slotSize is 0 if the object has
// a whole segment.
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

// collect runs the garbage collector, which finds the objects that this process has
// dropped. If fewer than half of the slots are free then, limit becomes twice the
// number of segments, so that the next collection comes later.
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

// recently is how long a process that was seen alive counts as alive, where a new check
// would take too much time.
const recently = 10 * time.Millisecond

// sweep frees the dropped slots that no living process uses.
func (a *arena) sweep() {
	for s := range a.segments {
		a.reclaim(s, recently)
	}
}

// reclaim frees the dropped slots of a segment that no process uses. A process that was
// alive within the last d counts as alive. A segment without used slots is closed,
// unless it is the only one.
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

// reclaim increments the slot's generation, so that older handles are invalid, and
// reports whether the slot is free. If a process opens the slot at the same time, the
// generation is restored.
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

// dropped records that this process has no object in a slot any more. size is the size of the slot.
func dropped(s *Segment, off, size int) {
	for i, n := range slotSizes {
		if n == size {
			arenas[i].drop(slot{s, off})
		}
	}
}
