package supervisor

import (
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/lib/comm"
)

// SendComm passes a message of the front end to the worker process.
func (w *Worker) SendComm(m output.Comm) error {
	w.noteComm(m.Kind, m.ID)
	return w.conn.Send(control.Comm{Message: comm.Message{Kind: comm.Kind(m.Kind), ID: m.ID, Target: m.Target, Data: m.Data, Buffers: m.Buffers}})
}

func (w *Worker) commFromWorker(m comm.Message) {
	w.noteComm(string(m.Kind), m.ID)
	w.Sink().Comm(output.Comm{Kind: string(m.Kind), ID: m.ID, Target: m.Target, Data: m.Data, Metadata: m.Metadata, Buffers: m.Buffers})
}

// noteComm updates the set of open comms.
func (w *Worker) noteComm(kind, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch kind {
	case output.CommOpen:
		if w.comms == nil {
			w.comms = map[string]bool{}
		}
		w.comms[id] = true
	case output.CommClose:
		delete(w.comms, id)
	}
}

// closeComms closes the open comms of a dead worker process in the front end.
func (w *Worker) closeComms() {
	w.mu.Lock()
	open := w.comms
	w.comms = nil
	w.mu.Unlock()
	for id := range open {
		w.Sink().Comm(output.Comm{Kind: output.CommClose, ID: id})
	}
}
