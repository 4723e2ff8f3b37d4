package goruntime

import "github.com/perijove/perijove/kernel/internal/platform"

// A PointerQuery says what findPointers looks for and where.
type PointerQuery struct {
	Code, Data AddrRange   // what is looked for: words that point there
	Variables  AddrRange   // beside the process's own variables, where to look
	Holders    []AddrRange // parts of variables: what is found there is told apart
	Except     uintptr     // a goroutine whose stack is not looked at
}

// An AddrRange is a range of addresses, the end excluded.
type AddrRange struct{ From, To uintptr }

func (r AddrRange) Contains(p uintptr) bool { return p >= r.From && p < r.To }

// FindPointers looks for words that point into a range of code and the range of data behind it, in all goroutines but one
// and in all memory that holds pointers. It stops the world. It reports whether it could look at everything.
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

// A FoundPointer is a word of memory that points into what was loaded.
type FoundPointer struct {
	Word   uintptr
	Holder int32 // the holder that has it, or nowhere
	Kind   PointerKind
}

const NoHolder = -1

const (
	maxFound    = 1 << 15
	maxSearched = 4 << 30 // bytes
)

// A PointerKind says where a word was found.
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

// A pointerSearch collects words. It allocates nothing while the world is stopped: it
// has a table of the words that it has seen, with open addressing.
type pointerSearch struct {
	lo, text, hi uintptr // of everything loaded, and where code ends
	holders      []AddrRange
	table        []FoundPointer
	n            int
	full         bool
	procs        *SliceHeader // runtime.allp
}

// words looks at the words of a range. Code is meant by the first words of
// closures and by return addresses alone: code says that the range has such.
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
	s.words(g+GSchedSP, g+gSchedBP, true) // where it goes on, and the closure that it begins with
}

// span looks at the objects of a span, and at finalizers, which are elsewhere.
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

// isProcessor reports whether the object at p is a runtime.p. Its write barrier buffer keeps what it had, and
// nothing else of it points to code or variables of cells.
func (s *pointerSearch) isProcessor(p uintptr) bool {
	for i := range uintptr(s.procs.cap) { // those that GOMAXPROCS has taken away, too
		if at := platform.Read[uintptr](s.procs.ptr + 8*i); at == p || at == p+mallocHeaderSize {
			return true
		}
	}
	return false
}

// object looks at an object. A closure begins with the address of its code;
// one of more than half a kilobyte has a header before.
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
