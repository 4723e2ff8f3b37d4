package mp

import (
	"sync/atomic"
	"unsafe"
)

// A budget is how many tasks of a batch a worker may still begin. It is one
// word in memory that parent and child share: the child takes tasks one by
// one, in order, and the parent takes back from the end what has not begun,
// without a message and without the child noticing. The low half counts the
// tasks that have begun, the high half is the limit.
type budget struct{ word *atomic.Uint64 }

func newBudget() budget { return budget{new(atomic.Uint64)} }

func (c budget) grant(n int) { c.word.Store(uint64(n) << 32) }

// claim begins the next task, and returns its place in the batch.
func (c budget) claim() (i int, ok bool) {
	for {
		w := c.word.Load()
		if uint32(w) >= uint32(w>>32) {
			return 0, false
		}
		if c.word.CompareAndSwap(w, w+1) {
			return int(uint32(w)), true
		}
	}
}

// begun returns how many tasks were begun, and how many more may be.
func (c budget) begun() (n, left int) {
	w := c.word.Load()
	return int(uint32(w)), int(uint32(w>>32)) - int(uint32(w))
}

// recall takes back tasks that have not begun, all but keep of them, and
// returns how many tasks stay with the batch.
func (c budget) recall(keep int) (limit int) {
	for {
		w := c.word.Load()
		next, old := uint32(w), uint32(w>>32)
		limit := min(old, next+uint32(keep))
		if c.word.CompareAndSwap(w, uint64(limit)<<32|uint64(next)) {
			return int(limit)
		}
	}
}

// budgetSlots is the number of budgets in the page that a child shares with
// its parent; a batch uses the one at its id modulo this.
const budgetSlots = 64

// A budgetPage is that page. Without shared memory it is nil, and each side has a
// budget of its own: nothing is recalled then.
type budgetPage []byte

const budgetPageSize = 4096

// budget returns the budget of a batch.
func (l budgetPage) budget(id uint64) budget {
	if l == nil {
		return newBudget()
	}
	return budget{(*atomic.Uint64)(unsafe.Pointer(&l[8*(id%budgetSlots)]))}
}
