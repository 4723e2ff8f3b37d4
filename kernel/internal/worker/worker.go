// Package worker implements the worker process, which holds a notebook's state: it links the cells' compiled code into
// itself and runs it. It communicates with the kernel over a control socket; standard output and error go to the kernel
// through pipes.
//
// A cell may crash the process. The kernel then starts another one.
package worker

import (
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/celllabels"
	"github.com/perijove/perijove/kernel/internal/cellprocesses"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/divert"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/memorylimit"
	"github.com/perijove/perijove/kernel/internal/standby"
	"github.com/perijove/perijove/kernel/internal/taskbars"
)

// A worker is the state of this process.
type worker struct {
	dir            string // folder of the image
	linker         *link.Linker
	runtime        *goruntime.Runtime
	diverter       *divert.Diverter
	finalizerLoops goruntime.FinalizerLoops
	conn           *control.Conn

	archives archives
	steps    loadSteps
	first    firstValues
	notices  notices

	pending      control.Pending
	busy         atomic.Int64 // number of requested cells that have not ended
	cell         atomic.Pointer[execution]
	pendingStops pendingStops

	memory memorylimit.Limit

	cellLabels  celllabels.Labels
	outputPipes outputPipes

	goroutines  *goruntime.Goroutines // nil if the layout of the runtime is not the expected one
	cellStart   atomic.Uintptr        // the function that cells' goroutines begin with
	contexts    contexts
	signals     goruntime.Signals
	processes   cellprocesses.List
	bars        *taskbars.Bars
	tasks       chan func() // functions for runTasks, whose goroutine belongs to no cell; see spawn
	standbys    *standby.Manager
	loading     sync.Mutex  // held while code is loaded or added, so that steps has the same order
	fileReserve fileReserve // guarded by loading
	traced      atomic.Bool // the running cell is recorded
}

// self is the worker of this process. It is a package variable, since functions that cells call and hooks that the
// runtime calls cannot get it as an argument.
var self *worker

var (
	inCell, ofCell func(pc uintptr) bool // methods Contains and OfCell of moduledata.Module
	preemptErr     error                 // why running goroutines cannot be stopped; nil if they can
)

// spawn runs f in a new goroutine that belongs to no cell. A goroutine that a cell's goroutine starts would inherit the
// labels of the cell and belong to it.
func (w *worker) spawn(f func()) { w.tasks <- f }

func (w *worker) runTasks() {
	for f := range w.tasks {
		go f()
	}
}

// ask sends the message that message returns for a new sequence number, and waits for its answer.
func (w *worker) ask(message func(seq int) control.Message) (control.Answer, error) {
	return w.pending.Ask(w.conn, message)
}
