package protocol

import (
	"sync/atomic"
	"unsafe"
)

// A Budget is the number of tasks of a batch that a worker may still begin. It is one
// word in memory that parent and child share. The child begins tasks one by one, in
// order. The parent takes tasks that have not begun from the end, without a message to
// the child. The low half of the word counts the tasks that have begun; the high half
// is the limit.
type Budget struct{ word *atomic.Uint64 }

func NewBudget() Budget { return Budget{new(atomic.Uint64)} }

func (c Budget) Grant(n int) { c.word.Store(uint64(n) << 32) }

// Claim begins the next task and returns its index in the batch. ok is false if none is left.
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

// Begun returns how many tasks have begun, and how many more may begin.
func (c Budget) Begun() (n, left int) {
	w := c.word.Load()
	return int(uint32(w)), int(uint32(w>>32)) - int(uint32(w))
}

// Recall takes back the tasks that have not begun, except for the first keep of these,
// and returns how many tasks stay in the batch.
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

// BudgetSlots is the number of budgets in a BudgetPage. A batch uses the budget with
// the index id modulo BudgetSlots.
const BudgetSlots = 64

// A BudgetPage is a page of memory that parent and child share. Without shared memory
// it is nil. Then each side has a separate budget, and no task can be taken back.
type BudgetPage []byte

const BudgetPageSize = 4096

// Budget returns the budget of a batch.
func (l BudgetPage) Budget(id uint64) Budget {
	if l == nil {
		return NewBudget()
	}
	return Budget{(*atomic.Uint64)(unsafe.Pointer(&l[8*(id%BudgetSlots)]))}
}
