// Package celllabels tells the executions of cells apart by the profiler label that the runtime hands on from a goroutine to
// those that it starts.
package celllabels

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
//go:linkname Current runtime/pprof.runtime_getProfLabel
func Current() unsafe.Pointer

//go:linkname Set runtime/pprof.runtime_setProfLabel
func Set(label unsafe.Pointer)

// Labels knows the label of each execution.
type Labels struct {
	current atomic.Pointer[byte] // the running cell's; nil while there is none

	mu     sync.RWMutex           // guards what follows
	ids    map[unsafe.Pointer]int // of executions
	list   []unsafe.Pointer       // the same, oldest first
	newest map[int]int            // executions by the number of their cell
}

// maxCellLabels is how many executions are told apart; so many does the kernel
// remember as well.
const maxCellLabels = control.MaxExecutions

// Enter labels the calling goroutine, and those that it starts, as execution
// id of a cell of the notebook. From now on that is the running one.
func (o *Labels) Enter(id, cell int) {
	ctx := pprof.WithLabels(context.Background(), pprof.Labels("cell", strconv.Itoa(cell)))
	pprof.SetGoroutineLabels(ctx)
	label := Current()
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

// Leave notes that the cell has ended. What its goroutines print from now on is
// named as its own: the kernel may have the next cell under way.
func (o *Labels) Leave() { o.current.Store(nil) }

// Earlier returns the execution that the calling goroutine belongs to, or 0 if
// that is the running one or is not known.
func (o *Labels) Earlier() int {
	label := Current()
	if label == nil || label == unsafe.Pointer(o.current.Load()) {
		return 0 // the usual case
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.ids[label]
}

// Of returns the execution that a goroutine with a label belongs to, or 0.
func (o *Labels) Of(label unsafe.Pointer) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.ids[label]
}

// OfCell returns the newest execution of a cell, or 0.
func (o *Labels) OfCell(cell int) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.newest[cell]
}

// Running returns the label of the running cell, or nil.
func (o *Labels) Running() unsafe.Pointer { return unsafe.Pointer(o.current.Load()) }
