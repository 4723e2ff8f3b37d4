package supervisor

import (
	"context"
	"errors"
	"fmt"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// handle handles a message of the worker process. If it returns an error, the kernel ends the process.
func (w *Worker) handle(m control.Message) error {
	switch m := m.(type) {
	case control.Ready:
		if w.isReady {
			return errors.New("the worker process reported twice that it is ready")
		}
		w.isReady = true
		w.ready <- nil
	case control.Loaded:
		w.begin(m)
	case control.Reply:
		w.print(w.pipes[1], w.crash.release()) // the process is alive, so this was not a crash
		for _, p := range w.pipes {
			if text := p.decoder.End(); text != "" {
				w.owner(p).Stream(p.name, text)
			}
		}
		w.endRequest(m)
	case control.Print:
		w.printLate(m)
	case control.Display:
		w.display(m)
		return w.conn.Send(control.Ack{Seq: m.Seq})
	case control.Result:
		if m.Message.ID != "" { // a later message replaces it, which the results of executions do not support everywhere
			w.display(control.Display{ID: m.ID, Message: m.Message})
			return w.conn.Send(control.Ack{Seq: m.Seq})
		}
		w.sinkOf(m.ID).Result(withSource(output.Bundle(m.Message.Data), m.Calls, w.currentStyle()), m.Message.Metadata)
		return w.conn.Send(control.Ack{Seq: m.Seq})
	case control.Comm:
		w.commFromWorker(m.Message)
		return w.conn.Send(control.Ack{Seq: m.Seq})
	case control.InputRequest:
		w.input(m)
	case control.Notice:
		w.sinkOf(m.ID).Stream(output.Stderr, m.Text+"\n")
		return w.conn.Send(control.Ack{Seq: m.Seq})
	case control.Standby:
		w.standby.Store(int64(m.PID))
	case control.PendingStops:
		if w.onPendingStops != nil && m.Count > 0 {
			w.onPendingStops(m.Count, w.Sink())
		}
	case control.GoroutinePanic:
		for _, line := range w.currentStyle().Panic(&m.Outcome).Traceback {
			w.sinkOf(m.ID).Stream(output.Stderr, line+"\n")
		}
	default:
		return fmt.Errorf("the worker process sent a message of the unexpected type %T", m)
	}
	return nil
}

// display shows a display of a cell.
func (w *Worker) display(m control.Display) {
	s, d := w.sinkOf(m.ID), m.Message
	if d.Kind == displayhost.KindClear {
		s.Clear(d.Wait)
		return
	}
	s.Display(output.Display{Data: output.Bundle(d.Data), Metadata: d.Metadata, DisplayID: d.ID, Update: d.Kind == displayhost.KindUpdate})
}

// input gets a line from the front end. Since that may take long, it does not block the pump.
func (w *Worker) input(m control.InputRequest) {
	w.mu.Lock()
	ctx := w.ctx
	w.mu.Unlock()
	if w.extension != nil {
		if prompt, password, ok := w.extension.TakePrompt(); ok {
			m.Prompt, m.Password = prompt, password
		}
	}
	go w.answerInput(ctx, m)
}

func (w *Worker) answerInput(ctx context.Context, m control.InputRequest) {
	answer := control.InputReply{Seq: m.Seq}
	text, err := w.Sink().Input(ctx, m.Prompt, m.Password)
	if err != nil {
		answer.Error = err.Error()
	}
	answer.Text = text
	_ = w.conn.Send(answer) // fails if the process is dead, which the pump notices
}
