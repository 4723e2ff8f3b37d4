// Package celllabels finds the execution of a cell to which a goroutine belongs. An execution is one run of a cell
// and has an ID. The package uses profiler labels, which a goroutine inherits from the goroutine that starts it.
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

// Current returns the profiler labels of the calling goroutine.
//
//go:linkname Current runtime/pprof.runtime_getProfLabel
func Current() unsafe.Pointer

// Set sets the profiler labels of the calling goroutine.
//
//go:linkname Set runtime/pprof.runtime_setProfLabel
func Set(label unsafe.Pointer)

// Labels maps profiler labels to executions. The zero value is ready to use. Its methods may be called concurrently.
type Labels struct {
	current atomic.Pointer[byte] // label of the running cell; nil if none runs

	mu     sync.RWMutex           // guards what follows
	ids    map[unsafe.Pointer]int // execution IDs by label
	cells  map[unsafe.Pointer]int // cell numbers by label
	list   []unsafe.Pointer       // the labels in ids, oldest first
	newest map[int]int            // ID of the newest execution by cell number
}

// maxCellLabels is how many executions are remembered, as in the kernel.
const maxCellLabels = control.MaxExecutions

// Enter labels the calling goroutine, and the goroutines that it starts, with execution id of a cell. From now on id
// is the running execution.
func (o *Labels) Enter(id, cell int) {
	ctx := pprof.WithLabels(context.Background(), pprof.Labels("cell", strconv.Itoa(cell)))
	pprof.SetGoroutineLabels(ctx)
	label := Current()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids, o.cells = map[unsafe.Pointer]int{}, map[unsafe.Pointer]int{}
	}
	if len(o.list) == maxCellLabels {
		delete(o.ids, o.list[0])
		delete(o.cells, o.list[0])
		o.list = o.list[1:]
	}
	o.ids[label], o.cells[label] = id, cell
	if o.newest == nil {
		o.newest = map[int]int{}
	}
	o.newest[cell] = id
	o.list = append(o.list, label)
	o.current.Store((*byte)(label))
}

// Leave records that the running cell has ended. From now on Earlier returns the cell's execution for the cell's
// goroutines, since the kernel may run the next cell.
func (o *Labels) Leave() { o.current.Store(nil) }

// Earlier returns the ID of the execution to which the calling goroutine belongs. It returns 0 if that execution is
// the running one or is not known.
func (o *Labels) Earlier() int {
	label := Current()
	if label == nil || label == unsafe.Pointer(o.current.Load()) {
		return 0 // the usual case
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.ids[label]
}

// Of returns the ID of the execution to which a goroutine with a label belongs, or 0 if it is not known.
func (o *Labels) Of(label unsafe.Pointer) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.ids[label]
}

// Cell returns the number of the cell to which a goroutine with a label belongs. ok is false if the cell is not
// known.
func (o *Labels) Cell(label unsafe.Pointer) (cell int, ok bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	cell, ok = o.cells[label]
	return cell, ok
}

// OfCell returns the ID of the newest execution of a cell, or 0 if none is known.
func (o *Labels) OfCell(cell int) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.newest[cell]
}

// Running returns the label of the running cell, or nil if no cell runs.
func (o *Labels) Running() unsafe.Pointer { return unsafe.Pointer(o.current.Load()) }
