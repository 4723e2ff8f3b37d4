package worker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// A cellContext is the value of ctx in code of a cell. Only an interrupt of the cell
// cancels it, not the end of the cell, since goroutines that use it may continue after
// the cell.
type cellContext struct {
	context.Context
	cell  int
	asked atomic.Bool // Done or Err was called: code may be waiting for the interrupt
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

// contexts maps profiler labels, which goroutines inherit, to the contexts of the cells that
// started them.
type contexts struct {
	mu      sync.Mutex // guards the fields below
	of      map[uintptr]*cellContext
	pruneAt int // if the map has this size, add removes the entries without goroutines
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
