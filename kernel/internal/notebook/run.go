package notebook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

// Options configure a run. With the zero value, a run stops at the first failing cell and prints nothing.
type Options struct {
	AllowErrors bool          // continue after a cell that fails
	Strict      bool          // a cell whose value is a non-nil error fails
	CellTimeout time.Duration // maximum time of each cell; 0 means none
	Progress    io.Writer     // gets one line per cell; may be nil
}

// A CellError is the error of the cell that ended a run.
type CellError struct {
	Number int    // number of the cell in the notebook, from 1
	Line   string // first line of the cell's code
	Err    error  // an *output.Error, or the reason why the cell did not finish
}

func (e *CellError) Error() string {
	return fmt.Sprintf("cell %d (%s): %v", e.Number, e.Line, e.Err)
}

func (e *CellError) Unwrap() error { return e.Err }

// Run executes all code cells in order and stores their outputs in nb. Cells tagged skip-execution are not executed
// and keep their outputs. Run removes the outputs of all other cells before it begins. A failing cell ends the run
// with a *CellError, unless the cell is tagged raises-exception or errors are allowed. If the run fails, nb has the
// outputs that there were until then.
func (nb *Notebook) Run(ctx context.Context, session output.Session, opts Options) error {
	r := runner{session: session, opts: opts, sinks: map[*Cell]*cellSink{}}
	defer r.store()
	var todo []int
	for i, c := range nb.Cells {
		if c.Type != CodeCell || c.HasTag(TagSkip) {
			continue
		}
		c.clear()
		if strings.TrimSpace(c.Source) != "" {
			todo = append(todo, i)
		}
	}
	for n, i := range todo {
		c := nb.Cells[i]
		r.progress("[%d/%d] %s", n+1, len(todo), c.firstLine())
		start := time.Now()
		err := r.cell(ctx, c, n+1 < len(todo))
		r.progress("  %s%s\n", formatTime(time.Since(start)), outcome(err))
		if err == nil || ctx.Err() == nil && (opts.AllowErrors || c.HasTag(TagRaises)) {
			continue
		}
		return &CellError{Number: i + 1, Line: c.firstLine(), Err: err}
	}
	return nil
}

type runner struct {
	session output.Session
	opts    Options
	all     collector
	sinks   map[*Cell]*cellSink
}

func (r *runner) cell(ctx context.Context, c *Cell, more bool) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	cellCtx := ctx
	if r.opts.CellTimeout > 0 {
		var cancel context.CancelFunc
		cellCtx, cancel = context.WithTimeoutCause(ctx, r.opts.CellTimeout,
			fmt.Errorf("the cell ran longer than its timeout of %v", r.opts.CellTimeout))
		defer cancel()
	}
	sink := r.all.sink()
	r.sinks[c] = sink
	reply := r.session.Execute(cellCtx, output.Request{
		Code: c.Source, CellID: c.ID, StoreHistory: true, Strict: r.opts.Strict, HasNext: func() bool { return more },
	}, sink)
	if reply.Page != nil { // without a pager the text is part of the output
		sink.Display(output.Display{Data: reply.Page})
	}
	return finish(cellCtx, reply, sink)
}

// finish returns the cell's error for a reply. It also stores the error with the cell if
// the session has only returned it in the reply.
func finish(ctx context.Context, reply output.Reply, sink *cellSink) error {
	count, outputs := sink.state()
	if count == 0 {
		sink.Started(reply.ExecutionCount)
	}
	if reply.Status == output.OK {
		return nil
	}
	failure := reply.Error
	if failure == nil {
		failure = &output.Error{Name: "Aborted", Value: "the cell did not run to its end", Traceback: []string{}}
	}
	if n := len(outputs); n == 0 || outputs[n-1].Type != ErrorOutput {
		sink.Error(failure)
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return failure
}

// store copies the outputs into the cells, including output after their replies.
func (r *runner) store() {
	for c, sink := range r.sinks {
		c.ExecutionCount, c.Outputs = sink.state()
	}
}

func (r *runner) progress(format string, args ...any) {
	if r.opts.Progress != nil {
		fmt.Fprintf(r.opts.Progress, format, args...)
	}
}

// firstLine returns the first line of code that is not a comment, shortened to fit a
// terminal.
func (c *Cell) firstLine() string {
	first := ""
	for line := range strings.Lines(c.Source) {
		line = strings.TrimSpace(line)
		if first == "" {
			first = line
		}
		if line != "" && !strings.HasPrefix(line, "//") {
			first = line
			break
		}
	}
	if runes := []rune(first); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return first
}

func outcome(err error) string {
	var failure *output.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &failure):
		return "  " + failure.Name
	case errors.Is(err, context.Canceled):
		return "  interrupted"
	}
	return "  " + err.Error()
}

func formatTime(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
