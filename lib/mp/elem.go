package mp

import "unsafe"

// An elem is how values of a type are kept by code that is not generic. Each
// cell or package that has a Queue compiles what is generic of it anew, for
// each type, which takes longer than all else in a cell.
type elem struct {
	size uintptr
	room func(n int) unsafe.Pointer    // memory for n values
	move func(to, from unsafe.Pointer) // copies one
	take func(to, from unsafe.Pointer) // moves one: from is zero then
}

//go:noinline
func elemOf[T any]() elem {
	return elem{
		size: unsafe.Sizeof(*new(T)),
		room: func(n int) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(make([]T, n))) },
		move: func(to, from unsafe.Pointer) { *(*T)(to) = *(*T)(from) },
		take: func(to, from unsafe.Pointer) { *(*T)(to), *(*T)(from) = *(*T)(from), *new(T) },
	}
}

// hide returns p. The compiler does not see that it does, and leaves what p
// points to on the stack: p must not be kept beyond the call that it is for.
//
//go:noinline
func hide(p unsafe.Pointer) unsafe.Pointer {
	n := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&n))
}
