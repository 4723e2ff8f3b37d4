package supervisor

import (
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
)

// executions has the last control.MaxExecutions executions. Late output of one of these
// still goes to its cell.
type executions struct {
	byID  map[int]*execution
	order []int // oldest first
}

// An execution has the sink for the output of one cell.
type execution struct {
	sink     output.Sink
	decoders [2]sinks.Decoder // decoders of standard output and standard error
}

func (e *executions) add(id int, s output.Sink) {
	if e.byID == nil {
		e.byID = map[int]*execution{}
	}
	if len(e.order) == control.MaxExecutions {
		delete(e.byID, e.order[0])
		e.order = e.order[1:]
	}
	e.byID[id] = &execution{sink: s}
	e.order = append(e.order, id)
}

// streamNames are the names of the file descriptors 1 and 2.
var streamNames = [2]string{output.Stdout, output.Stderr}

// owner returns the output to which a pipe's content belongs. Once the kernel has sent the worker process a cell with
// new pipes, the content of the old pipes belongs to the previous cell.
func (w *Worker) owner(p *pipe) output.Sink {
	w.mu.Lock()
	changing := w.pending != nil && w.pending.pipes[0] != nil && !w.childrenHoldPipes && w.isCurrent(p)
	last := w.lastSink
	w.mu.Unlock()
	switch {
	case p.owner != nil:
		return p.owner
	case changing && last != nil:
		return last
	}
	return w.Sink()
}

// isCurrent reports whether p is the present standard output or error of the worker process.
func (w *Worker) isCurrent(p *pipe) bool { return p == w.pipes[0] || p == w.pipes[1] }

// printLate shows text that a goroutine of an earlier cell has printed.
func (w *Worker) printLate(m control.Print) {
	if m.FD != 1 && m.FD != 2 {
		return
	}
	i := m.FD - 1
	w.mu.Lock()
	e := w.executions.byID[m.ID]
	w.mu.Unlock()
	if e == nil {
		w.print(w.pipes[i], m.Bytes)
		return
	}
	output.StreamBytes(e.sink, streamNames[i], e.decoders[i].DecodeBytes(m.Bytes))
}

// print shows text that was read from p.
func (w *Worker) print(p *pipe, b []byte) {
	if len(b) == 0 {
		return
	}
	if text := p.decoder.DecodeBytes(b); len(text) > 0 {
		output.StreamBytes(w.owner(p), p.name, text)
	}
}

// endRequest ends the running request with its reply. After an execution whose output is
// discarded, such as a user expression, it restores the previous sink.
func (w *Worker) endRequest(m control.Reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := w.done
	if m.RequestID() != w.id {
		return
	}
	w.done = nil
	if m, ok := m.(control.Done); ok {
		w.programsHoldPipes = m.ProgramsHoldPipes && len(w.allPipes) < maxPipes
		w.childrenHoldPipes = m.ChildrenHoldPipes
	}
	if sinks.IsDiscarded(w.sink) {
		w.sink = w.lastSink
	}
	w.interruptTimer.Stop()
	if done != nil {
		done <- m
	}
}
