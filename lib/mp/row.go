package mp

import "unsafe"

// A row is a slice of any type.
type row struct {
	elem   elem
	at     unsafe.Pointer
	n, max int
}

func (r *row) append(v unsafe.Pointer) {
	if r.n == r.max {
		r.max = max(8, 2*r.n)
		at := r.elem.room(r.max)
		for i := range r.n {
			r.elem.move(r.elem.at(at, i), r.elem.at(r.at, i))
		}
		r.at = at
	}
	r.elem.move(r.elem.at(r.at, r.n), v)
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
	r.at = r.elem.at(r.at, n)
	return first
}
