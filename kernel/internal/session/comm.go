package session

import (
	"errors"

	"github.com/perijove/perijove/kernel/internal/output"
)

// Comm hands a message of the front end to the worker, where the comm's other
// half is. It is not a cell: it waits for none.
func (s *Session) Comm(m output.Comm) error {
	s.mu.Lock()
	w := s.worker
	s.mu.Unlock()
	if w == nil || w.IsDead() {
		return errors.New("there is no worker")
	}
	if w.gonb.TakeComm(m) {
		return nil
	}
	return w.SendComm(m)
}
