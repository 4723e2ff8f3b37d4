package call

import (
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
)

// An Elem is a type, for code that is not generic. Each cell or package that
// uses a generic type or function compiles it again, with all that can be
// reached from the structs and signatures in it, and that takes longer than all
// else in a cell. So what is generic here is as little as can be, and sees the
// rest through interfaces and functions of plain types that are not inlined.
type Elem struct {
	Size    uintptr
	Pointer any                           // a nil pointer to the type
	Room    func(n int) unsafe.Pointer    // memory for n values
	Move    func(to, from unsafe.Pointer) // copies one
	Clear   func(p unsafe.Pointer)        // makes one zero
}

//go:noinline
func ElemOf[T any]() Elem {
	return Elem{
		Size:    unsafe.Sizeof(*new(T)),
		Pointer: (*T)(nil),
		Room:    func(n int) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(make([]T, n))) },
		Move:    func(to, from unsafe.Pointer) { *(*T)(to) = *(*T)(from) },
		Clear:   func(p unsafe.Pointer) { *(*T)(p) = *new(T) },
	}
}

// Take moves a value: from is zero then.
func (e *Elem) Take(to, from unsafe.Pointer) {
	e.Move(to, from)
	e.Clear(from)
}

// At is the place of value i in a row.
func (e *Elem) At(row unsafe.Pointer, i int) unsafe.Pointer {
	return unsafe.Add(row, uintptr(i)*e.Size)
}

// Encode returns the encoding of the value at p.
func (e *Elem) Encode(p unsafe.Pointer) ([]byte, error) {
	c, err := codec.OfPointee(e.Pointer)
	if err != nil {
		return nil, err
	}
	return c.Marshal(p)
}

// Decode decodes one value, which fills b, to p.
func (e *Elem) Decode(b []byte, p unsafe.Pointer) error {
	c, err := codec.OfPointee(e.Pointer)
	if err != nil {
		return err
	}
	return c.Unmarshal(b, p)
}

// Nothing is where values without a size are.
var Nothing struct{}

// Hide returns p. The compiler does not see that it does, and leaves what p
// points to on the stack: p must not be kept beyond the call that it is for.
func Hide(p unsafe.Pointer) unsafe.Pointer {
	n := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&n))
}
