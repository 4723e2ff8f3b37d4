package session

import (
	"errors"

	"github.com/perijove/perijove/kernel/internal/output"
)

// Comm passes a comm message of the front end to the worker process, which has the other end of the comm. It does not
// wait for a running cell.
func (s *Session) Comm(m output.Comm) error {
	s.mu.Lock()
	w := s.worker
	s.mu.Unlock()
	if w == nil || w.IsDead() {
		return errors.New("cannot pass on the message of a widget or comm: no process runs the cells")
	}
	if w.gonb.TakeComm(m) {
		return nil
	}
	return w.SendComm(m)
}
