package shm

import (
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"
)

// An Object is memory whose words goroutines or processes can wait on. It is zero at first.
type Object struct {
	mem    []byte         // the memory after the header
	closed *atomic.Uint32 // 1 if the object is closed
	me     Owner          // this process, as owner of locks in the object
	local  *local         // lock and waiters of an object for goroutines; nil if the object is shared

	// Only for a shared object.
	seg   *Segment
	off   int    // offset of the header in the segment
	size  int    // of the slot; 0 if the object has the whole segment
	head  []byte // the header
	index int    // the place of this process among the users; -1 if none was free
	peers peers
}

// Offsets in the header.
const (
	headGeneration = 0 // u32, counts the objects that the slot has held
	headClosed     = 4 // u32
	headUntracked  = 8 // u32, 1 if a process found no place among the users
	headUsers      = 64

	slotHead  = 768  // size of the header in a slot, in bytes
	largeHead = 4096 // size of the header of an object that has a segment to itself
)

// A local is the lock and the waiters of an object for goroutines.
type local struct {
	mutex      LocalMutex
	parkingLot parkingLot
}

// NewLocal makes an object for goroutines.
func NewLocal(size int) *Object {
	o := &Object{mem: words(size), local: new(local), me: Owner{PID: 1}}
	o.closed = &o.local.mutex.Over
	return o
}

// words returns memory of size bytes that is aligned for 64-bit words.
func words(size int) []byte {
	w := make([]uint64, (size+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w))), size)
}

// New makes a shared object.
func New(size int) (*Object, error) {
	s, off, slot, err := place(size)
	if err != nil {
		return nil, err
	}
	return attach(s, off, slot), nil
}

// NewLarge makes a shared object in its own segment, which Window can extend.
func NewLarge(size int) (*Object, error) {
	s, err := NewSegment(largeHead+size, false)
	if err != nil {
		return nil, err
	}
	return attach(s, 0, 0), nil
}

// A placeName identifies an object in this process.
type placeName struct {
	node       uint64
	off        int
	generation uint32
}

// objects has the shared objects of this process, so that each is attached once.
var objects struct {
	mu sync.Mutex
	m  map[placeName]weak.Pointer[Object]
}

// attach makes this process a user of the object at an offset of a segment. slot is its
// size, or 0.
func attach(s *Segment, off, slot int) *Object {
	head, end := slotHead, off+slot
	if slot == 0 {
		head, end = largeHead, len(s.mem)
	}
	o := &Object{
		seg: s, off: off, size: slot, me: Self(),
		head: s.mem[off : off+head], mem: s.mem[off+head : end : end],
	}
	o.closed = at32(o.head, headClosed)
	o.index = o.join()
	runtime.AddCleanup(o, (*user).leave, &user{s, o.head, off, slot, o.index})
	objects.mu.Lock()
	defer objects.mu.Unlock()
	if objects.m == nil {
		objects.m = make(map[placeName]weak.Pointer[Object])
	}
	objects.m[o.name()] = weak.Make(o)
	return o
}

func (o *Object) name() placeName { return placeName{o.seg.name(), o.off, o.generation()} }

func (o *Object) generation() uint32 { return at32(o.head, headGeneration).Load() }

func at32(b []byte, off int) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&b[off])) }
func at64(b []byte, off int) *atomic.Uint64 { return (*atomic.Uint64)(unsafe.Pointer(&b[off])) }

// U32 returns the 32-bit word at an offset.
func (o *Object) U32(off int) *atomic.Uint32 { return at32(o.mem, off) }

// U64 returns the 64-bit word at an offset.
func (o *Object) U64(off int) *atomic.Uint64 { return at64(o.mem, off) }

// At returns the address of an offset.
func (o *Object) At(off int) unsafe.Pointer { return unsafe.Pointer(&o.mem[off]) }

// Bytes returns the n bytes at an offset.
func (o *Object) Bytes(off, n int) []byte { return o.mem[off : off+n : off+n] }

// Size returns the size of the memory in bytes.
func (o *Object) Size() int { return len(o.mem) }

// IsShared reports whether the object can be sent to a process.
func (o *Object) IsShared() bool { return o.seg != nil }

// Me returns this process, as owner of locks in the object.
func (o *Object) Me() Owner { return o.me }

// IsClosed reports whether Close was called, here or in another process.
func (o *Object) IsClosed() bool { return o.closed.Load() != 0 }

// waitedWords is how many 32-bit words, at the beginning of an object, may be waited
// on.
const waitedWords = 64

// Close closes the object: all waits for it, in every process, end with ErrClosed. Its
// slot is reused when no process has the object any more.
func (o *Object) Close() {
	if !o.closed.CompareAndSwap(0, 1) {
		return
	}
	defer runtime.KeepAlive(o)
	for off := 0; off < min(4*waitedWords, len(o.mem)); off += 4 {
		o.wakeNear(off, All)
	}
	if h := hubIfAny(); o.local == nil && h != nil {
		h.postCheck()
	}
}

// Handle returns a handle of the object for another process. That process must call Open while
// this process has the object.
func (o *Object) Handle() ([]byte, error) {
	if o.seg == nil {
		return nil, ErrLocal
	}
	if o.IsClosed() {
		return nil, ErrClosed
	}
	b, err := o.seg.handle()
	if err != nil {
		return nil, err
	}
	o.peers.sent.Store(true)
	b = binary.LittleEndian.AppendUint32(b, uint32(o.off))
	b = binary.LittleEndian.AppendUint32(b, uint32(o.size))
	return binary.LittleEndian.AppendUint32(b, o.generation()), nil
}

// Open opens the object that a handle names. For a large object, size is how many bytes
// are mapped, or 0 for all. The error is ErrClosed if the object was closed, also if
// its slot now holds another object.
func Open(handle []byte, size int) (*Object, error) {
	if len(handle) != ObjectHandleSize {
		return nil, ErrMalformed
	}
	if size > 0 {
		size += largeHead
	}
	rest := handle[handleSize:]
	off, slot := int(binary.LittleEndian.Uint32(rest)), int(binary.LittleEndian.Uint32(rest[4:]))
	generation := binary.LittleEndian.Uint32(rest[8:])
	if slot > 0 {
		size = 0
	}
	s, err := openSegment(handle[:handleSize], false, size)
	if _, is := errors.AsType[*droppedError](err); is && slot > 0 {
		return nil, ErrClosed // there is no object in that segment any more
	}
	if err != nil {
		return nil, err
	}
	if off+max(slot, slotHead) > len(s.mem) || slot > 0 && !isSlot(slot) || slot == 0 && off > 0 {
		return nil, ErrMalformed
	}
	objects.mu.Lock()
	known := objects.m[placeName{s.name(), off, generation}].Value()
	objects.mu.Unlock()
	if known == nil {
		if at32(s.mem[off:], headGeneration).Load() != generation {
			return nil, ErrClosed
		}
		known = attach(s, off, slot)
	}
	if known.generation() != generation || known.IsClosed() {
		return nil, ErrClosed
	}
	return known, nil
}

// Window maps the bytes [from, to) of a large object, which lie beyond the part that NewLarge
// or Open mapped. If the object is smaller than to bytes, Window extends it.
func (o *Object) Window(from, to int) ([]byte, error) {
	if err := o.seg.grow(largeHead + to); err != nil {
		return nil, err
	}
	return o.seg.window(largeHead+from, largeHead+to)
}

// Discard gives the memory of the bytes [from, to) of a large object back to the system.
func (o *Object) Discard(from, to int) { o.seg.discard(largeHead+from, largeHead+to) }
