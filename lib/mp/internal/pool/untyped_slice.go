package pool

import (
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// An untypedSlice is a slice of any type, in code that is not generic.
type untypedSlice struct {
	elem   call.Elem
	at     unsafe.Pointer
	n, max int
}

func (s *untypedSlice) append(v unsafe.Pointer) {
	if s.n == s.max {
		s.max = max(8, 2*s.n)
		at := s.elem.Room(s.max)
		for i := range s.n {
			s.elem.Move(s.elem.At(at, i), s.elem.At(s.at, i))
		}
		s.at = at
	}
	s.elem.Move(s.elem.At(s.at, s.n), v)
	s.n++
}

// take removes the first n elements and returns their address.
func (s *untypedSlice) take(n int) unsafe.Pointer {
	first := s.at
	if s.n -= n; s.n == 0 {
		s.at, s.max = nil, 0 // the address after the last element may be outside the array
		return first
	}
	s.max -= n
	s.at = s.elem.At(s.at, n)
	return first
}
