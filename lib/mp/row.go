package mp

import (
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// A row is a slice of any type.
type row struct {
	elem   call.Elem
	at     unsafe.Pointer
	n, max int
}

func (r *row) append(v unsafe.Pointer) {
	if r.n == r.max {
		r.max = max(8, 2*r.n)
		at := r.elem.Room(r.max)
		for i := range r.n {
			r.elem.Move(r.elem.At(at, i), r.elem.At(r.at, i))
		}
		r.at = at
	}
	r.elem.Move(r.elem.At(r.at, r.n), v)
	r.n++
}

// take removes the first n.
func (r *row) take(n int) unsafe.Pointer {
	first := r.at
	if r.n -= n; r.n == 0 {
		r.at, r.max = nil, 0 // the address after the last may be behind the row
		return first
	}
	r.max -= n
	r.at = r.elem.At(r.at, n)
	return first
}
