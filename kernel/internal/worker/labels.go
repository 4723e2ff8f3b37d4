package worker

import (
	"context"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/control"
)

// Package runtime keeps these for others to use.
//
//go:linkname profLabel runtime/pprof.runtime_getProfLabel
func profLabel() unsafe.Pointer

//go:linkname setProfLabel runtime/pprof.runtime_setProfLabel
func setProfLabel(label unsafe.Pointer)

// cellLabels knows the label of each execution.
type cellLabels struct {
	current atomic.Pointer[byte] // the running cell's; nil while there is none

	mu     sync.RWMutex           // guards what follows
	ids    map[unsafe.Pointer]int // of executions
	list   []unsafe.Pointer       // the same, oldest first
	newest map[int]int            // executions by the number of their cell
}

// maxCellLabels is how many executions are told apart; so many does the kernel
// remember as well.
const maxCellLabels = control.MaxExecutions

// enter labels the calling goroutine, and those that it starts, as execution
// id of a cell of the notebook. From now on that is the running one.
func (o *cellLabels) enter(id, cell int) {
	ctx := pprof.WithLabels(context.Background(), pprof.Labels("cell", strconv.Itoa(cell)))
	pprof.SetGoroutineLabels(ctx)
	label := profLabel()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids = map[unsafe.Pointer]int{}
	}
	if len(o.list) == maxCellLabels {
		delete(o.ids, o.list[0])
		o.list = o.list[1:]
	}
	o.ids[label] = id
	if o.newest == nil {
		o.newest = map[int]int{}
	}
	o.newest[cell] = id
	o.list = append(o.list, label)
	o.current.Store((*byte)(label))
}

// leave notes that the cell has ended. What its goroutines print from now on is
// named as its own: the kernel may have the next cell under way.
func (o *cellLabels) leave() { o.current.Store(nil) }

// earlierExecution returns the execution that the calling goroutine belongs to, or 0 if
// that is the running one or is not known.
func (o *cellLabels) earlierExecution() int {
	label := profLabel()
	if label == nil || label == unsafe.Pointer(o.current.Load()) {
		return 0 // the usual case
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.ids[label]
}

// of returns the execution that a goroutine with a label belongs to, or 0.
func (o *cellLabels) of(label unsafe.Pointer) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.ids[label]
}

// ofCell returns the newest execution of a cell, or 0.
func (o *cellLabels) ofCell(cell int) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.newest[cell]
}

// running returns the label of the running cell, or nil.
func (o *cellLabels) running() unsafe.Pointer { return unsafe.Pointer(o.current.Load()) }
