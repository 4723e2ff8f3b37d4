package worker

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

// Which cell prints.
//
// The goroutine of a cell gets a profiler label, which the runtime hands on to
// every goroutine that is started from it, and so on. What a goroutine of an
// earlier cell writes to standard output or error goes to the kernel with the
// name of that cell, over the control socket; everything else takes the pipes.
// Goroutines that have no such label, as those to which the user has given
// others, count as the running cell's.

// Package runtime keeps these for others to use.
//
//go:linkname profLabel runtime/pprof.runtime_getProfLabel
func profLabel() unsafe.Pointer

//go:linkname setProfLabel runtime/pprof.runtime_setProfLabel
func setProfLabel(label unsafe.Pointer)

// origins knows the label of each execution.
type origins struct {
	current atomic.Pointer[byte] // the running cell's; nil while there is none

	mu     sync.RWMutex           // guards what follows
	ids    map[unsafe.Pointer]int // of executions
	list   []unsafe.Pointer       // the same, oldest first
	newest map[int]int            // executions by the number of their cell
}

// maxOrigins is how many executions are told apart; so many does the kernel
// remember as well.
const maxOrigins = control.MaxExecutions

// enter labels the calling goroutine, and those that it starts, as execution
// id of a cell of the notebook. From now on that is the running one.
func (o *origins) enter(id, cell int) {
	ctx := pprof.WithLabels(context.Background(), pprof.Labels("cell", strconv.Itoa(cell)))
	pprof.SetGoroutineLabels(ctx)
	label := profLabel()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids = map[unsafe.Pointer]int{}
	}
	if len(o.list) == maxOrigins {
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
func (o *origins) leave() { o.current.Store(nil) }

// earlier returns the execution that the calling goroutine belongs to, or 0 if
// that is the running one or is not known.
func (o *origins) earlier() int {
	label := profLabel()
	if label == nil || label == unsafe.Pointer(o.current.Load()) {
		return 0 // the usual case
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.ids[label]
}

// of returns the execution that a goroutine with a label belongs to, or 0.
func (o *origins) of(label unsafe.Pointer) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.ids[label]
}

// ofCell returns the newest execution of a cell, or 0.
func (o *origins) ofCell(cell int) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.newest[cell]
}

// standard are the streams that cells print to.
var standard struct {
	out, err *os.File
	write    func(f *os.File, b []byte) (int, error) // the original
	after    func(d time.Duration, f func()) *time.Timer
	start    func(name string, argv []string, attr *os.ProcAttr) (*os.Process, error)
}

func (w *worker) hookOutput() {
	standard.out, standard.err = os.Stdout, os.Stderr
	orig, err := goruntime.Original[func(f *os.File, b []byte) (int, error)](w.runtime, "os.(*File).Write")
	if err == nil {
		standard.write = orig
		_, err = goruntime.Hook(w.runtime, "os.(*File).Write", fileWrite)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: what goroutines print after their cell shows in the last cell:", err)
	}
	after, err := goruntime.Original[func(time.Duration, func()) *time.Timer](w.runtime, "time.AfterFunc")
	if err == nil {
		standard.after = after
		_, err = goruntime.Hook(w.runtime, "time.AfterFunc", afterFunc)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: what timers print after their cell shows in the last cell:", err)
	}
	// A broken pipe means that the kernel is gone; by itself it would end this
	// process alone, and not what cells have started.
	if _, err := goruntime.Hook(w.runtime, "os.sigpipe", endGroup); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: what cells start may outlive a killed kernel:", err)
	}
	start, err := goruntime.Original[func(string, []string, *os.ProcAttr) (*os.Process, error)](w.runtime, "os.StartProcess")
	if err == nil {
		standard.start = start
		_, err = goruntime.Hook(w.runtime, "os.StartProcess", startProcess)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: what child processes print after their cell shows in the last cell:", err)
	}
}

// fileWrite replaces (*os.File).Write.
func fileWrite(f *os.File, b []byte) (int, error) {
	if f != nil && (f == standard.out || f == standard.err) {
		if err := streamClosed(f); err != nil {
			return 0, err
		}
		if id := self.origins.earlier(); id != 0 {
			return self.print(id, f, b)
		}
	}
	return standard.write(f, b)
}

// afterFunc replaces time.AfterFunc: the runtime starts the goroutine of a timer,
// and that has no label.
func afterFunc(d time.Duration, f func()) *time.Timer {
	label := profLabel()
	if label == nil || f == nil {
		return standard.after(d, f)
	}
	var caller [1]uintptr
	runtime.Callers(2, caller[:])
	return standard.after(d, func() {
		setProfLabel(label)
		returned := false
		defer func() {
			if !returned {
				timerStarts.Store(preempt.CurrentG(), caller[0])
			}
		}()
		f()
		returned = true
	})
}

// timerStarts has the call of time.AfterFunc, a return address, of functions that
// have panicked, by their goroutine, which fatalPanic is about to report.
var timerStarts sync.Map

// printSize bounds a message of printed text.
const printSize = 64 << 10

// print delivers text of an earlier cell.
func (w *worker) print(id int, f *os.File, b []byte) (int, error) {
	m := control.Print{ID: id, FD: 1}
	if f == standard.err {
		m.FD = 2
	}
	for rest := b; len(rest) > 0; {
		n := min(len(rest), printSize)
		m.Bytes = rest[:n]
		if err := w.conn.Send(m); err != nil {
			endGroup()
		}
		rest = rest[n:]
	}
	return len(b), nil
}
