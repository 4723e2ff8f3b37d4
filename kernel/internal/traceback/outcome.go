package traceback

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
)

// Error returns the error of a cell with this outcome, or nil if it succeeded.
func (s Style) Error(o *control.Outcome) *output.Error {
	switch o.How {
	case control.Returned:
		return nil
	case control.Exited:
		if o.Code == 0 {
			return nil
		}
		return New("Exit", fmt.Sprintf("exit status %d", o.Code))
	case control.Goexit:
		return nil
	case control.Interrupted:
		return s.interrupted(o)
	case control.Deadlocked:
		return s.deadlocked(o)
	}
	return s.Panic(o)
}

// interrupted returns the error of an interrupted cell. If the cell's goroutine could not be stopped, the error has the
// place at which it is blocked. The error also has the goroutines that still run.
func (s Style) interrupted(o *control.Outcome) *output.Error {
	value := "the cell was interrupted"
	var lines []string
	if g := o.Stuck; g != nil {
		switch g.State {
		case "running", "runnable":
			value += "; its goroutine is inside a call of other code: when the call returns to code of a cell, the goroutine runs its deferred functions and ends"
		default:
			value += "; its goroutine is blocked (" + g.State + "): when something wakes the goroutine, it runs its deferred functions and ends"
		}
		lines = s.Calls(g.Frames)
	}
	if len(lines) == 0 {
		lines = s.Calls(o.Frames)
	}
	return &output.Error{Name: Interrupted, Value: value, Traceback: append(append([]string{value}, lines...), s.stillRunning(o)...)}
}

// stillRunning returns lines about the goroutines that a cell has started and that were not stopped.
func (s Style) stillRunning(o *control.Outcome) []string {
	if o.Count == 0 {
		return nil
	}
	first := "1 goroutine that the cell started still runs"
	if o.Count > 1 {
		first = fmt.Sprintf("%d goroutines that the cell started still run", o.Count)
	}
	lines := s.goroutineLines(o.Goroutines, o.Count)
	if len(lines) == 0 { // packages have started them, and they run code of packages
		return []string{first + ", in code of packages"}
	}
	return append([]string{first + ":"}, lines...)
}

// deadlocked returns the error of a deadlock, with the places at which the cell and the
// other goroutines are blocked.
func (s Style) deadlocked(o *control.Outcome) *output.Error {
	const value = "all goroutines are blocked, and no timer, file or connection can wake one"
	lines := []string{"deadlock: " + value}
	if len(o.Goroutines) > 0 {
		lines = append(lines, s.goroutineLines(o.Goroutines[:1], 1)...)
		lines = append(lines, s.goroutineLines(o.Goroutines[1:], o.Count)...)
	}
	return &output.Error{Name: "Deadlock", Value: value, Traceback: append(lines, "variables are kept; the cell's goroutine stays blocked until another cell wakes it")}
}

// Panic returns an error about a panic: its value, then its calls.
func (s Style) Panic(o *control.Outcome) *output.Error {
	value := o.Value
	if o.Goroutine != "" {
		value += ", in " + goroutineName(o)
		s.inGoroutine = true
	}
	s.panicText = o.Value
	lines := append([]string{"panic: " + value}, s.Calls(o.Frames)...)
	s.inGoroutine, s.panicText = false, ""
	if len(o.Child) > 0 {
		lines = append(lines, "in the child process:")
		lines = append(lines, s.Calls(o.Child)...)
	}
	if o.Started != nil {
		lines = append(lines, s.startedAt(*o.Started)...)
	}
	if o.Stuck != nil {
		lines = append(lines, "the cell's own goroutine is blocked ("+o.Stuck.State+"); when something wakes it, it ends")
		lines = append(lines, s.Calls(o.Stuck.Frames)...)
	}
	return &output.Error{Name: "panic", Value: value, Traceback: lines}
}

// goroutineName describes the goroutine that has panicked by the place where it was started.
func goroutineName(o *control.Outcome) string {
	what := map[string]string{"timer": "the timer", "finalizer": "a finalizer", "cleanup": "a cleanup function"}[o.Goroutine]
	if what == "" {
		what = "the goroutine"
	}
	if o.Started == nil {
		return what
	}
	if n, ok := CellOf(o.Started.File); ok {
		return fmt.Sprintf("%s started at %s line %d", what, cell.Name(n), o.Started.Line)
	}
	what += " started by " + o.Started.Func
	if o.Runs != nil {
		if n, ok := CellOf(o.Runs.File); ok {
			what += fmt.Sprintf(", which runs the function at %s line %d", cell.Name(n), o.Runs.Line)
		}
	}
	return what
}
