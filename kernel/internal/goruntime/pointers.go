package goruntime

import "github.com/perijove/perijove/kernel/internal/platform"

// A PointerQuery says which words FindPointers searches for, and in which memory.
type PointerQuery struct {
	Code, Data AddrRange   // FindPointers finds the words that point into these ranges
	Variables  AddrRange   // memory to search besides the variables of the image
	Holders    []AddrRange // parts of Variables; a FoundPointer has the index of the part that contains it
	Except     uintptr     // address of the runtime.g of a goroutine whose stack is not searched
}

// An AddrRange is a range of addresses; To is excluded.
type AddrRange struct{ From, To uintptr }

func (r AddrRange) Contains(p uintptr) bool { return p >= r.From && p < r.To }

// FindPointers finds words that point to q.Code or to q.Data; q.Data must follow q.Code. FindPointers stops the world
// and searches all goroutines except q.Except, and all memory that holds pointers. It returns false if it could not search
// everything.
func (gs *Goroutines) FindPointers(q PointerQuery) ([]FoundPointer, bool) {
	h := gs.host
	s := &pointerSearch{lo: q.Code.From, text: q.Code.To, hi: q.Data.To, holders: q.Holders, table: make([]FoundPointer, 2*maxFound), procs: gs.procs}
	w := h.StopTheWorld(StopReason)
	ok := h.pointerBytes() <= maxSearched
	if ok {
		for g := range gs.each {
			if g != q.Except {
				s.goroutine(g)
			}
		}
		s.words(h.FirstModule.Data, h.FirstModule.Edata, false)
		s.words(h.FirstModule.bss, h.FirstModule.ebss, false)
		s.words(q.Variables.From, q.Variables.To, false)
		h.eachSpan(s.span)
		h.eachQueuedFinalizer(s.words)
	}
	h.StartTheWorld(w)
	var found []FoundPointer
	for _, f := range s.table {
		if f.Word != 0 {
			found = append(found, f)
		}
	}
	return found, ok && !s.full
}

// A FoundPointer is a word of memory that points to loaded code or data.
type FoundPointer struct {
	Word   uintptr
	Holder int32 // index in PointerQuery.Holders of the range that contains the word, or NoHolder
	Kind   PointerKind
}

const NoHolder = -1

const (
	maxFound    = 1 << 15
	maxSearched = 4 << 30 // bytes
)

// A PointerKind says in which kind of memory a word was found.
type PointerKind uint8

const (
	InMemory PointerKind = iota
	inGoroutine
)

func (k PointerKind) String() string {
	if k == inGoroutine {
		return "a goroutine uses it"
	}
	return "a func value or a pointer in memory leads to it"
}

// A pointerSearch collects words in a hash table with open addressing, which is allocated before the world
// is stopped, so that a search then allocates nothing.
type pointerSearch struct {
	lo, text, hi uintptr // loaded code is from lo up to text, data from text up to hi
	holders      []AddrRange
	table        []FoundPointer
	n            int
	full         bool
	procs        *SliceHeader // runtime.allp
}

// words searches the words of a range for pointers to data. If code is true, it also searches for pointers to code.
// Pointers to code occur only in stacks, as return addresses, and as the first words of closures.
func (s *pointerSearch) words(from, to uintptr, code bool) {
	kind := InMemory
	if code {
		kind = inGoroutine
	}
	for p := from &^ 7; p+8 <= to; p += 8 {
		if w := platform.Read[uintptr](p); w-s.lo < s.hi-s.lo && (code || w >= s.text) {
			s.add(p, w, kind)
		}
	}
}

func (s *pointerSearch) add(at, word uintptr, kind PointerKind) {
	inside := int32(NoHolder)
	for i, r := range s.holders {
		if r.Contains(at) {
			inside = int32(i)
		}
	}
	h := (uint64(word)*0x9e3779b97f4a7c15 + uint64(inside)) >> 32
	for i := h; ; i++ {
		f := &s.table[i%uint64(len(s.table))]
		if f.Word == word && f.Holder == inside {
			return
		}
		if f.Word == 0 {
			if s.n++; s.n > maxFound {
				s.full = true
				return
			}
			*f = FoundPointer{word, inside, kind}
			return
		}
	}
}

func (s *pointerSearch) goroutine(g uintptr) {
	switch platform.Read[uint32](g+gStatus) &^ statusScan {
	case statusIdle, statusDead, statusDeadExtra:
		return
	}
	sp, hi := platform.Read[uintptr](g+GSchedSP), platform.Read[uintptr](g+GStackHi)
	if p := platform.Read[uintptr](g + gSyscallSP); p != 0 && p < sp {
		sp = p
	}
	if lo := platform.Read[uintptr](g + GStackLo); sp < lo || sp > hi {
		sp = lo
	}
	s.words(sp, hi, true)
	s.words(g+GSchedSP, g+gSchedBP, true) // the address at which it continues, and the closure that it begins with
}

// span searches the objects of a span, and their finalizers, which are outside the span.
func (s *pointerSearch) span(span uintptr) {
	for p := platform.Read[uintptr](span + spanSpecials); p != 0; p = platform.Read[uintptr](p) {
		s.words(p+specialFunc, p+specialFunc+8, false)
	}
	if platform.Read[uint8](span+spanClass)&1 != 0 { // no pointers
		return
	}
	base, size := platform.Read[uintptr](span+spanStart), platform.Read[uintptr](span+spanElemSize)
	for i := range uintptr(platform.Read[uint16](span + spanElems)) {
		if p := base + i*size; !spanIsFree(span, i) && (size < minProcessor || !s.isProcessor(p)) {
			s.object(p, size)
		}
	}
}

const mallocHeaderSize = 8

// minProcessor is less than the size of a runtime.p.
const minProcessor = 8 << 10

// isProcessor reports whether the object at p is a runtime.p. The search skips every runtime.p: its write barrier buffer
// still holds old pointers, and no other part of a runtime.p points to code or variables of cells.
func (s *pointerSearch) isProcessor(p uintptr) bool {
	for i := range uintptr(s.procs.cap) { // up to cap: includes those that GOMAXPROCS has removed
		if at := platform.Read[uintptr](s.procs.ptr + 8*i); at == p || at == p+mallocHeaderSize {
			return true
		}
	}
	return false
}

// object searches an object. If it is a closure, it begins with the address of its code.
// An object of more than 512 bytes has a header before its content.
func (s *pointerSearch) object(p, size uintptr) {
	const headerFrom = 512
	begin := p
	if size > headerFrom && size <= 32<<10 {
		begin += mallocHeaderSize
	}
	if w := platform.Read[uintptr](begin); w-s.lo < s.text-s.lo {
		s.add(begin, w, InMemory)
	}
	s.words(p, p+size, false)
}
