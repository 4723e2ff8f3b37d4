package session

import (
	"errors"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/lib/comm"
)

// Comm hands a message of the front end to the worker, where the comm's other
// half is. It is not a cell: it waits for none.
func (s *Session) Comm(m output.Comm) error {
	s.mu.Lock()
	w := s.worker
	s.mu.Unlock()
	if w == nil || w.dead() {
		return errors.New("there is no worker")
	}
	if w.fromPage(m) {
		return nil
	}
	return w.commToWorker(m)
}

func (p *process) commToWorker(m output.Comm) error {
	p.noteComm(m.Kind, m.ID)
	return p.conn.Send(control.Comm{Message: comm.Message{Kind: comm.Kind(m.Kind), ID: m.ID, Target: m.Target, Data: m.Data}})
}

func (p *process) commFromWorker(c comm.Message) {
	p.noteComm(string(c.Kind), c.ID)
	p.current().Comm(output.Comm{Kind: string(c.Kind), ID: c.ID, Target: c.Target, Data: c.Data, Metadata: c.Metadata})
}

func (p *process) noteComm(kind, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch kind {
	case output.CommOpen:
		if p.comms == nil {
			p.comms = map[string]bool{}
		}
		p.comms[id] = true
	case output.CommClose:
		delete(p.comms, id)
	}
}

// closeComms tells the front end that the objects of a dead worker are gone.
func (p *process) closeComms() {
	p.mu.Lock()
	open := p.comms
	p.comms = nil
	p.mu.Unlock()
	for id := range open {
		p.current().Comm(output.Comm{Kind: output.CommClose, ID: id})
	}
}
