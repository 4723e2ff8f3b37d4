package supervisor

import (
	"context"
	"errors"
	"fmt"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
)

// A LoadError reports that a cell could not be linked. The worker process is unchanged.
type LoadError struct {
	Reason string
	At     *control.Frame // the place in the cell that could not be linked; may be nil
	Import string         // the package that needs the missing symbol; may be empty
	// Untraced says that the cell could not be linked because %%trace cannot record it.
	Untraced bool
}

func (e *LoadError) Error() string { return e.Reason }

// Run runs a compiled cell. When the worker process has linked the cell, and before any output, Run calls onLoaded.
// When ctx ends, the cell is interrupted. The error is a LoadError or ErrGone.
func (w *Worker) Run(ctx context.Context, m control.Run, s output.Sink, onLoaded func(reset, notices []string)) (*control.Outcome, error) {
	done := make(chan control.Reply, 1)
	w.mu.Lock()
	w.id++
	m.ID = w.id
	w.done, w.cell = done, m.Cell
	w.sink, w.lastSink = s, w.sink
	w.executions.add(w.id, s)
	w.pending = &pendingCell{onLoaded: onLoaded}
	if w.programsHoldPipes {
		m.OutputPipes = w.pending.makePipes(w.pipeDir, w.id)
	}
	w.ctx, w.cancel = context.WithCancel(ctx)
	defer w.cancel()
	w.mu.Unlock()
	defer w.dropPending()
	if err := w.conn.Send(m); err != nil {
		w.Kill()
		return nil, ErrGone
	}
	stop := context.AfterFunc(ctx, w.Interrupt)
	defer stop()
	select {
	case m := <-done:
		switch m := m.(type) {
		case control.Done:
			if m.Outcome.How != "" {
				return &m.Outcome, nil
			}
		case control.LoadFailed:
			return nil, &LoadError{m.Reason, m.At, m.Import, m.Untraced}
		}
		return nil, &LoadError{Reason: "the process that runs the cells did not report how the cell ended"}
	case <-w.ended:
		return nil, ErrGone
	}
}

// Setup changes the folder, environment or arguments of the worker process.
func (w *Worker) Setup(ctx context.Context, m control.Setup) error {
	answer, err := request[control.SetupReply](ctx, w, func(id int) control.Message { m.ID = id; return m })
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	return err
}

// SetMemoryLimit changes the memory limit of the worker process and the processes that it starts.
func (w *Worker) SetMemoryLimit(ctx context.Context, l MemoryLimit) error {
	bytes := l.Bytes
	if bytes == 0 {
		bytes = -1
	}
	err := w.Setup(ctx, control.Setup{Memory: bytes})
	if err == nil {
		w.memoryLimit.Store(&l)
	}
	return err
}

// Reload replaces packages and reports whether they have new types.
func (w *Worker) Reload(ctx context.Context, m control.Reload) (renewed bool, err error) {
	answer, err := request[control.ReloadReply](ctx, w, func(id int) control.Message { m.ID = id; return m })
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	return answer.Renewed, err
}

// Drop sends the worker process the list of the variables to which no name of the notebook refers any more.
func (w *Worker) Drop(symbols []string) error { return w.conn.Send(control.Drop{Symbols: symbols}) }

// ListDropped describes the dropped variables that are still in use, one a line.
func (w *Worker) ListDropped(ctx context.Context) ([]string, error) {
	answer, err := request[control.DroppedList](ctx, w, func(id int) control.Message { return control.ListDropped{ID: id} })
	return answer.Lines, err
}

// ListGoroutines describes the goroutines of cells. count is the number of all goroutines of cells; list may have
// fewer.
func (w *Worker) ListGoroutines(ctx context.Context) (list []control.Goroutine, count int, err error) {
	answer, err := request[control.GoroutineList](ctx, w, func(id int) control.Message { return control.ListGoroutines{ID: id} })
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	return answer.Goroutines, answer.Count, err
}

// request sends a request that runs no cell and waits for its reply, or until
// ctx ends. message makes the request for an ID.
func request[R control.Reply](ctx context.Context, w *Worker, message func(id int) control.Message) (answer R, err error) {
	done := make(chan control.Reply, 1)
	w.mu.Lock()
	w.id++
	id := w.id
	w.done = done
	w.mu.Unlock()
	if err := w.conn.Send(message(id)); err != nil {
		return answer, err
	}
	select {
	case m := <-done:
		answer, ok := m.(R)
		if !ok {
			return answer, fmt.Errorf("the worker process answered a request with the unexpected type %T", m)
		}
		return answer, nil
	case <-ctx.Done():
		return answer, InterruptedError("interrupted before the process that runs the cells answered")
	case <-w.ended:
		return answer, ErrGone
	}
}
