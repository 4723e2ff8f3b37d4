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
	first  int // room to begin with after all elements were taken
}

// maxFirst is the largest first.
const maxFirst = 1024

func (s *untypedSlice) append(v unsafe.Pointer) {
	if s.n == s.max {
		s.max = max(8, 2*s.n, s.first)
		s.first = 0
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
		s.first = min(n, maxFirst) // the next elements are mostly as many: they need not be moved while the slice grows
		s.at, s.max = nil, 0       // the address after the last element may be outside the array
		return first
	}
	s.max -= n
	s.at = s.elem.At(s.at, n)
	return first
}
