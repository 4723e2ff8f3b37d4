package link

// eachSpan calls f with every span of the heap that has objects.
func (h *host) eachSpan(f func(span uintptr)) {
	list := loadAt[sliceHeader](h.heap + heapSpans)
	for i := range uintptr(list.len) {
		if span := loadAt[uintptr](list.ptr + 8*i); loadAt[uint8](span+spanState) == spanInUse {
			f(span)
		}
	}
}

// pointerBytes is how much memory the heap has for objects with pointers.
func (h *host) pointerBytes() uintptr {
	sum := uintptr(0)
	h.eachSpan(func(span uintptr) {
		if loadAt[uint8](span+spanClass)&1 == 0 {
			sum += loadAt[uintptr](span+spanPages) << 13
		}
	})
	return sum
}

// eachQueuedFinalizer calls f with the blocks in which finalizers wait to run.
func (h *host) eachQueuedFinalizer(f func(from, to uintptr, code bool)) {
	const size = 4096
	for b := *h.finalizers; b != 0; b = loadAt[uintptr](b) {
		f(b, b+size, false)
	}
}

// Offsets into runtime.mheap, runtime.mspan and runtime.specialfinalizer in Go
// 1.26 and 1.27.
const (
	heapSpans     = 65864
	spanStart     = 24
	spanPages     = 32
	spanElems     = 50
	spanFreeIndex = 52 // freeIndexForScan
	spanAllocBits = 64
	spanClass     = 98
	spanState     = 99
	spanElemSize  = 104
	spanSpecials  = 128
	specialFunc   = 24
	gSyscallSP    = 104
)

const spanInUse = 1 // a value of runtime.mSpanState

// spanIsFree does what runtime.(*mspan).isFree does.
func spanIsFree(span, i uintptr) bool {
	if i < uintptr(loadAt[uint16](span+spanFreeIndex)) {
		return false
	}
	return loadAt[uint8](loadAt[uintptr](span+spanAllocBits)+i/8)&(1<<(i%8)) == 0
}

// A foundWord is a word of memory that points into what was loaded.
type foundWord struct {
	word   uintptr
	inside int32 // the old variable that holds it, or nowhere
	kind   useKind
}

const nowhere = -1

const (
	maxFound    = 1 << 15
	maxSearched = 4 << 30 // bytes
)

// A useKind says where a word was found.
type useKind uint8

const (
	inMemory useKind = iota
	inGoroutine
)

func (k useKind) String() string {
	if k == inGoroutine {
		return "a goroutine uses it"
	}
	return "a func value or a pointer in memory leads to it"
}

// A search collects words. It allocates nothing while the world is stopped: it
// has a table of the words that it has seen, with open addressing.
type search struct {
	lo, text, hi uintptr // of everything loaded, and where code ends
	old          []oldVariable
	table        []foundWord
	n            int
	full         bool
}

// words looks at the words of a range. Code is meant by the first words of
// closures and by return addresses alone: code says that the range has such.
func (s *search) words(from, to uintptr, code bool) {
	kind := inMemory
	if code {
		kind = inGoroutine
	}
	for p := from &^ 7; p+8 <= to; p += 8 {
		if w := loadAt[uintptr](p); w-s.lo < s.hi-s.lo && (code || w >= s.text) {
			s.add(p, w, kind)
		}
	}
}

func (s *search) add(at, word uintptr, kind useKind) {
	inside := int32(nowhere)
	for i := range s.old {
		if v := &s.old[i]; at >= v.addr() && at < v.addr()+v.size {
			inside = int32(i)
		}
	}
	h := (uint64(word)*0x9e3779b97f4a7c15 + uint64(inside)) >> 32
	for i := h; ; i++ {
		f := &s.table[i%uint64(len(s.table))]
		if f.word == word && f.inside == inside {
			return
		}
		if f.word == 0 {
			if s.n++; s.n > maxFound {
				s.full = true
				return
			}
			*f = foundWord{word, inside, kind}
			return
		}
	}
}

func (s *search) goroutine(g uintptr) {
	switch loadAt[uint32](g+gStatus) &^ statusScan {
	case statusIdle, statusDead, statusDeadExtra:
		return
	}
	sp, hi := loadAt[uintptr](g+gSchedSP), loadAt[uintptr](g+gStackHi)
	if p := loadAt[uintptr](g + gSyscallSP); p != 0 && p < sp {
		sp = p
	}
	if lo := loadAt[uintptr](g + gStackLo); sp < lo || sp > hi {
		sp = lo
	}
	s.words(sp, hi, true)
	s.words(g+gSchedSP, g+gSchedBP, true) // where it goes on, and the closure that it begins with
}

// span looks at the objects of a span, and at finalizers, which are elsewhere.
func (s *search) span(span uintptr) {
	for p := loadAt[uintptr](span + spanSpecials); p != 0; p = loadAt[uintptr](p) {
		s.words(p+specialFunc, p+specialFunc+8, false)
	}
	if loadAt[uint8](span+spanClass)&1 != 0 { // no pointers
		return
	}
	base, size := loadAt[uintptr](span+spanStart), loadAt[uintptr](span+spanElemSize)
	for i := range uintptr(loadAt[uint16](span + spanElems)) {
		if !spanIsFree(span, i) {
			s.object(base+i*size, size)
		}
	}
}

// object looks at an object. A closure begins with the address of its code;
// one of more than half a kilobyte has a header before.
func (s *search) object(p, size uintptr) {
	const headerFrom = 512
	begin := p
	if size > headerFrom && size <= 32<<10 {
		begin += 8
	}
	if w := loadAt[uintptr](begin); w-s.lo < s.text-s.lo {
		s.add(begin, w, inMemory)
	}
	s.words(p, p+size, false)
}
