package worker

import (
	"errors"
	"runtime/trace"
	"strings"

	"github.com/perijove/perijove/lib/mp/mphost"
)

// startTrace begins to record the execution of the next cell and of its children into a folder. It does nothing if
// folder is "". See %%trace.
func (w *worker) startTrace(folder string) error {
	if folder == "" {
		return nil
	}
	if trace.IsEnabled() {
		return &traceError{errors.New("cannot record the cell: an earlier cell has called trace.Start of runtime/trace; call trace.Stop first")}
	}
	if err := mphost.StartTrace(folder); err != nil {
		return &traceError{err}
	}
	w.traced.Store(true)
	return nil
}

// A traceError reports that a cell cannot be recorded. The cell is not loaded then.
type traceError struct{ error }

// stopTrace ends the recording of a cell, however the cell has ended, and waits for the
// files of its children.
func (w *worker) stopTrace() {
	if !w.traced.Swap(false) {
		return
	}
	if err := mphost.StopTrace(); err != nil {
		w.notice(err.Error())
	}
}

// records reports whether start is the first function of a goroutine that records a cell: a goroutine of package mp
// samples the processor time, and a goroutine of runtime/trace writes the file.
func records(start string) bool {
	return strings.HasPrefix(start, mphost.TracePackage) || strings.HasPrefix(start, "runtime/trace.")
}
