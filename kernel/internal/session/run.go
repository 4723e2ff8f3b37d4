package session

import (
	"context"
	"fmt"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/cellprofile"
	"github.com/perijove/perijove/kernel/internal/output"
)

// A run is one cell that is being executed.
type run struct {
	session *Session
	ctx     context.Context
	n       int
	sink    output.Sink

	stdin *stdinPrompter   // asks for the input of the next shell command; set by %with_inputs
	tests *testRun         // set by %test
	prof  *cellprofile.Run // set by %%prof
	bench *benchRun        // set by %%bench
	trace traceFolder      // set by %%trace
	code  string           // the cell's text
	next  *output.NextInput
	file  string // the file that runs in place of the cell; set by %run
	news  news
}

func (r *run) print(format string, args ...any) {
	r.sink.Stream(output.Stdout, fmt.Sprintf(format, args...))
}

// cleanupTimeout is the maximum time to restore the setup of the worker process.
const cleanupTimeout = 10 * time.Second

// cleanupContext returns a context for restoring the setup of the worker process after a cell, even if the cell was
// interrupted.
func (r *run) cleanupContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.ctx), cleanupTimeout)
}

// splitWords is cell.SplitWords.
var splitWords = cell.SplitWords

// A testRun has the arguments of a %test directive.
type testRun struct{ args []string }

// A stdinPrompter gives a command standard input with lines that the front end asks the
// user for.
type stdinPrompter struct{ password bool }
