package mp

import "unsafe"

// An elem is a type, for code that is not generic. Each cell or package that
// uses a generic type or function compiles it anew, with all that can be
// reached from the structs and signatures in it, and that takes longer than all
// else in a cell. So what is generic here is as little as can be, and sees the
// rest through interfaces and functions of plain types that are not inlined.
type elem struct {
	size  uintptr
	like  any                           // a nil pointer to the type
	room  func(n int) unsafe.Pointer    // memory for n values
	move  func(to, from unsafe.Pointer) // copies one
	clear func(p unsafe.Pointer)        // makes one zero
}

//go:noinline
func elemOf[T any]() elem {
	return elem{
		size:  unsafe.Sizeof(*new(T)),
		like:  (*T)(nil),
		room:  func(n int) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(make([]T, n))) },
		move:  func(to, from unsafe.Pointer) { *(*T)(to) = *(*T)(from) },
		clear: func(p unsafe.Pointer) { *(*T)(p) = *new(T) },
	}
}

// take moves a value: from is zero then.
func (e *elem) take(to, from unsafe.Pointer) {
	e.move(to, from)
	e.clear(from)
}

// at is the place of value i in a row.
func (e *elem) at(row unsafe.Pointer, i int) unsafe.Pointer {
	return unsafe.Add(row, uintptr(i)*e.size)
}

// nothing is where values without a size are.
var nothing struct{}

// hide returns p. The compiler does not see that it does, and leaves what p
// points to on the stack: p must not be kept beyond the call that it is for.
func hide(p unsafe.Pointer) unsafe.Pointer {
	n := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&n))
}
