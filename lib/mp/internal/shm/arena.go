package shm

import (
	"runtime"
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
var arenas [len(slotSizes)]slots

type slots struct {
	mu      sync.Mutex
	own     map[*Segment]bool
	free    []slot
	dropped map[slot]bool // this process has no object there, others may
	limit   int           // how many segments there may be until a collection was tried
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

func (a *slots) take(size int) (slot, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.free) == 0 {
		a.sweep(size)
	}
	if len(a.free) == 0 && len(a.own) > a.limit {
		a.limit = 2 * len(a.own)
		a.mu.Unlock()
		runtime.GC()
		time.Sleep(time.Millisecond) // cleanups run in goroutines
		a.mu.Lock()
		a.sweep(size)
	}
	if len(a.free) == 0 {
		if err := a.extend(size); err != nil {
			return slot{}, err
		}
	}
	last := len(a.free) - 1
	at := a.free[last]
	a.free = a.free[:last]
	mem := at.seg.mem[at.off : at.off+size]
	clear(mem[4:])
	return at, nil
}

func (a *slots) extend(size int) error {
	s, err := NewSegment(arenaSize, false)
	if err != nil {
		return err
	}
	if a.own == nil {
		a.own, a.dropped = make(map[*Segment]bool), make(map[slot]bool)
	}
	a.own[s] = true
	a.limit = max(a.limit, len(a.own))
	for off := arenaSize - size; off >= 0; off -= size {
		a.free = append(a.free, slot{s, off})
	}
	return nil
}

// sweep frees the dropped slots that no living process has.
func (a *slots) sweep(size int) {
	for at := range a.dropped {
		if at.reclaim(size) {
			delete(a.dropped, at)
			a.free = append(a.free, at)
		}
	}
}

// reclaim gives the slot another generation, so that handles on their way are
// stale. One that was just opened undoes that.
func (at slot) reclaim(size int) bool {
	head := at.seg.mem[at.off : at.off+slotHead]
	if at32(head, headUntracked).Load() != 0 || inUse(head) {
		return false
	}
	generation := at32(head, headGeneration)
	generation.Add(1)
	if inUse(head) {
		generation.Add(^uint32(0))
		return false
	}
	return true
}

func inUse(head []byte) bool {
	for i := range users(head) {
		if w := userWord(head, i).Load(); w != 0 && OwnerOf(w).AliveSince(10*time.Millisecond) {
			return true
		}
	}
	return false
}

// dropped tells that this process has no object in a slot any more.
func dropped(s *Segment, off, size int) {
	for i, n := range slotSizes {
		if n == size {
			a := &arenas[i]
			a.mu.Lock()
			if a.own[s] {
				a.dropped[slot{s, off}] = true
			}
			a.mu.Unlock()
		}
	}
}
