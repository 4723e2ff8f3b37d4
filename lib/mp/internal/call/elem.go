package call

import (
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
)

// An Elem describes a type for code that is not generic. Each notebook cell or package
// that uses a generic type or function compiles it again, with all types that can be
// reached from the structs and signatures in it. This takes longer than anything else
// in a cell. So generic code here is as small as possible, and calls the rest through
// interfaces and functions that have plain types and are not inlined.
type Elem struct {
	Size    uintptr
	Pointer any                           // a nil pointer to the type
	Room    func(n int) unsafe.Pointer    // allocates an array of n values and returns its address
	Move    func(to, from unsafe.Pointer) // copies a value
	Clear   func(p unsafe.Pointer)        // sets a value to zero
}

// ElemOf returns the Elem of T.
//
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

// Take copies the value at the address from to the address to, and sets the value at from to
// zero.
func (e *Elem) Take(to, from unsafe.Pointer) {
	e.Move(to, from)
	e.Clear(from)
}

// At returns the address of value i of the array at row.
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

// Decode decodes b, the encoding of one value, and stores the value at p.
func (e *Elem) Decode(b []byte, p unsafe.Pointer) error {
	c, err := codec.OfPointee(e.Pointer)
	if err != nil {
		return err
	}
	return c.Unmarshal(b, p)
}

// Nothing is the variable to which pointers to values of size 0 point.
var Nothing struct{}

// Hide returns p. The compiler's escape analysis does not see that the result is p, so the
// variable that p points to can stay on the stack. A function that gets the result must not
// keep it after it has returned.
func Hide(p unsafe.Pointer) unsafe.Pointer {
	n := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&n))
}
