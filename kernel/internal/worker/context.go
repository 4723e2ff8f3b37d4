package worker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

// A cellContext is what ctx means in code of a cell: an interrupt of the cell
// cancels it, nothing else does, since goroutines that use it may go on after
// the cell.
type cellContext struct {
	context.Context
	cell  int
	asked atomic.Bool // somebody may be waiting for the interrupt
}

func (c *cellContext) Done() <-chan struct{} {
	c.asked.Store(true)
	return c.Context.Done()
}

func (c *cellContext) Err() error {
	c.asked.Store(true)
	return c.Context.Err()
}

func (c *cellContext) String() string { return fmt.Sprintf("the context of Cell [%d]", c.cell) }

// contexts finds the cell that a goroutine belongs to by the profiler labels
// that it has inherited.
type contexts struct {
	mu      sync.Mutex // guards what follows
	of      map[uintptr]*cellContext
	pruneAt int // how many are forgotten if no goroutine has their labels
}

func (c *contexts) add(labels uintptr, ctx *cellContext, gs *goruntime.Goroutines) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of, c.pruneAt = map[uintptr]*cellContext{}, 64
	}
	if len(c.of) >= c.pruneAt {
		used := map[uintptr]*cellContext{}
		for g := range gs.All {
			if x := c.of[g.Labels]; x != nil {
				used[g.Labels] = x
			}
		}
		c.of, c.pruneAt = used, max(64, 2*len(used))
	}
	c.of[labels] = ctx
}

func (c *contexts) find(labels uintptr) *cellContext {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[labels]
}

// Context returns the context of the cell that the calling goroutine belongs
// to: the one that started it, or started what started it. For a goroutine that
// belongs to none, such as that of a timer, it is the running or last cell's.
// Generated code calls it, by its linker name, where a cell says ctx.
func Context() context.Context {
	if self == nil {
		return context.Background()
	}
	if self.goroutines != nil {
		if c := self.contexts.find(self.goroutines.Describe(preempt.CurrentG()).Labels); c != nil {
			return c
		}
	}
	if x := self.cell.Load(); x != nil {
		return x.cellCtx
	}
	return context.Background()
}
