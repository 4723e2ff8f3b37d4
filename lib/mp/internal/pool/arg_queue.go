package pool

import (
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// An argQueue holds the arguments of a stream that were not taken yet. The goroutine of
// the sequence adds them, without a lock. The other methods need streamJob.mu.
type argQueue struct {
	elem call.Elem

	// Used only by the goroutine of the sequence.
	added int // arguments that were added
	last  *argBlock
	used  int // values of last that are in use

	published atomic.Int64 // added, plus sealBit after seal

	// Guarded by streamJob.mu.
	first  *argBlock
	from   int  // the next value of first
	sealed bool // no more arguments are wanted
	total  int  // how many were added before seal
}

// An argBlock is an array of n arguments. next is set before an argument in it is
// published.
type argBlock struct {
	values unsafe.Pointer
	n      int
	next   *argBlock
}

const (
	sealBit = 1 << 62
	// minBlock and maxBlockBytes bound the size of an argBlock: a block is kept while one
	// of its tasks has no outcome.
	minBlock      = 8
	maxBlockBytes = 256 << 10
)

func newArgQueue(elem call.Elem) *argQueue {
	b := &argBlock{elem.Room(minBlock), minBlock, nil}
	return &argQueue{elem: elem, last: b, first: b}
}

// full reports whether grow must be called before add.
func (q *argQueue) full() bool { return q.used == q.last.n }

// grow makes room for n arguments, or for as many as a block may have.
func (q *argQueue) grow(n int) {
	if q.elem.Size > 0 {
		n = min(n, maxBlockBytes/int(q.elem.Size))
	}
	n = max(n, minBlock)
	b := &argBlock{q.elem.Room(n), n, nil}
	q.last.next = b
	q.last, q.used = b, 0
}

// add adds the argument at v, and reports whether it was wanted.
func (q *argQueue) add(v unsafe.Pointer) bool {
	q.elem.Move(q.elem.At(q.last.values, q.used), v)
	q.used++
	q.added++
	return q.published.Add(1)&sealBit == 0
}

// count returns how many arguments were added, those that were taken included.
func (q *argQueue) count() int {
	if q.sealed {
		return q.total
	}
	return int(q.published.Load())
}

// seal ends the queue: arguments that are added later do not count.
func (q *argQueue) seal() {
	if !q.sealed {
		q.sealed, q.total = true, int(q.published.Or(sealBit))
	}
}

// take removes at most n arguments, and returns the address of the first and their
// number. There must be n.
func (q *argQueue) take(n int) (unsafe.Pointer, int) {
	if q.from == q.first.n {
		q.first, q.from = q.first.next, 0
	}
	n = min(n, q.first.n-q.from)
	at := q.elem.At(q.first.values, q.from)
	q.from += n
	return at, n
}
