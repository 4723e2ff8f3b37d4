package protocol

import (
	"sync/atomic"
	"unsafe"
)

// A Budget is how many tasks of a batch a worker may still begin. It is one
// word in memory that parent and child share: the child takes tasks one by
// one, in order, and the parent takes back from the end what has not begun,
// without a message and without the child noticing. The low half counts the
// tasks that have begun, the high half is the limit.
type Budget struct{ word *atomic.Uint64 }

func NewBudget() Budget { return Budget{new(atomic.Uint64)} }

func (c Budget) Grant(n int) { c.word.Store(uint64(n) << 32) }

// Claim begins the next task, and returns its place in the batch.
func (c Budget) Claim() (i int, ok bool) {
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

// Begun returns how many tasks were begun, and how many more may be.
func (c Budget) Begun() (n, left int) {
	w := c.word.Load()
	return int(uint32(w)), int(uint32(w>>32)) - int(uint32(w))
}

// Recall takes back tasks that have not begun, all but keep of them, and
// returns how many tasks stay with the batch.
func (c Budget) Recall(keep int) (limit int) {
	for {
		w := c.word.Load()
		next, old := uint32(w), uint32(w>>32)
		limit := min(old, next+uint32(keep))
		if c.word.CompareAndSwap(w, uint64(limit)<<32|uint64(next)) {
			return int(limit)
		}
	}
}

// BudgetSlots is the number of budgets in the page that a child shares with
// its parent; a batch uses the one at its id modulo this.
const BudgetSlots = 64

// A BudgetPage is that page. Without shared memory it is nil, and each side has a
// separate budget: nothing is recalled then.
type BudgetPage []byte

const BudgetPageSize = 4096

// Budget returns the budget of a batch.
func (l BudgetPage) Budget(id uint64) Budget {
	if l == nil {
		return NewBudget()
	}
	return Budget{(*atomic.Uint64)(unsafe.Pointer(&l[8*(id%BudgetSlots)]))}
}
