package worker

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/celllabels"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/kernel/internal/streams"
)

// Output of earlier cells.
//
// The goroutine of a cell gets a profiler label. All goroutines that it starts, directly or through others, inherit
// this label. Text that a goroutine of an earlier cell writes to standard output or error goes to the kernel over the
// control socket, with the ID of that execution. Other text goes through the pipes. Goroutines without such a label,
// for example those to which the user has given other labels, count as goroutines of the running cell.

func (w *worker) hookOutput() {
	standard.out, standard.err = os.Stdout, os.Stderr
	orig, err := goruntime.Original[func(f *os.File, b []byte) (int, error)](w.runtime, "os.(*File).Write")
	if err == nil {
		standard.write = orig
		_, err = goruntime.Hook(w.runtime, "os.(*File).Write", fileWrite)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: what goroutines print after their cell has ended will appear in the last cell:", err)
	}
	after, err := goruntime.Original[func(time.Duration, func()) *time.Timer](w.runtime, "time.AfterFunc")
	if err == nil {
		standard.after = after
		_, err = goruntime.Hook(w.runtime, "time.AfterFunc", afterFunc)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: what timers print after their cell has ended will appear in the last cell:", err)
	}
	// A broken pipe means that the kernel has ended. Without the hook, only this
	// process would end, and not the processes that cells have started.
	if _, err := goruntime.Hook(w.runtime, "os.sigpipe", endGroup); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: processes that cells start may continue after the kernel is killed:", err)
	}
	start, err := goruntime.Original[func(string, []string, *os.ProcAttr) (*os.Process, error)](w.runtime, "os.StartProcess")
	if err == nil {
		standard.start = start
		_, err = goruntime.Hook(w.runtime, "os.StartProcess", startProcess)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: what child processes print after their cell has ended will appear in the last cell:", err)
	}
}

// fileWrite replaces (*os.File).Write.
func fileWrite(f *os.File, b []byte) (int, error) {
	if f != nil && (f == standard.out || f == standard.err) {
		if err := streams.Closed(f); err != nil {
			return 0, err
		}
		if id := self.cellLabels.Earlier(); id != 0 {
			return self.print(id, f, b)
		}
	}
	return standard.write(f, b)
}

// afterFunc replaces time.AfterFunc. It gives the goroutine of the timer the label of the caller: the runtime
// starts it without a label.
func afterFunc(d time.Duration, f func()) *time.Timer {
	label := celllabels.Current()
	if label == nil || f == nil {
		return standard.after(d, f)
	}
	var caller [1]uintptr
	runtime.Callers(2, caller[:])
	return standard.after(d, func() {
		celllabels.Set(label)
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

// timerStarts maps the goroutine of a panicking function of time.AfterFunc to the return address of the call of
// time.AfterFunc. fatalPanic reports that address.
var timerStarts sync.Map

// printSize is the maximum size of printed text in one message, in bytes.
const printSize = 64 << 10

// print sends text of an earlier execution to the kernel.
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

// startProcess replaces os.StartProcess.
func startProcess(name string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	p, err := standard.start(name, argv, attr)
	if err == nil && attr != nil {
		self.outputPipes.started(p, name, attr.Files)
	}
	return p, err
}

// noteProcess records a process, not a child, that the calling goroutine has started.
func (w *worker) noteProcess(path string, pid int) {
	if path == childPath || w.goroutines == nil {
		return
	}
	if labels := w.goroutines.Describe(preempt.CurrentG()).Labels; labels != 0 {
		w.processes.Add(labels, pid)
	}
}
