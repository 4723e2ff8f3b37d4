package server

import (
	"context"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

// duplicateWindow is within which an interrupt by message and one by signal are one:
// some front ends send a message for a key that also sent SIGINT to the
// kernel's process group.
const duplicateWindow = 250 * time.Millisecond

// interruptRecord remembers the interrupt that was last passed on.
type interruptRecord struct {
	mu       sync.Mutex // guards what follows
	at       time.Time
	bySignal bool
	cell     *request // that ran then
}

// isDuplicate reports whether an interrupt of a cell is the last one on its other
// way. Two on the same way are two, however close, and so are two of different
// cells.
func (i *interruptRecord) isDuplicate(now time.Time, bySignal bool, cell *request) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if bySignal != i.bySignal && cell == i.cell && now.Sub(i.at) < duplicateWindow {
		return true
	}
	i.at, i.bySignal, i.cell = now, bySignal, cell
	return false
}

func (s *Server) interrupt(context.Context, *request, *wire.InterruptRequest) (reply, error) {
	s.forwardInterrupt(false)
	return answer(&wire.InterruptReply{Status: wire.Status{Status: wire.StatusOK}})
}

// Interrupt stops the running cell, for a SIGINT. With none it does nothing.
func (s *Server) Interrupt() { s.forwardInterrupt(true) }

func (s *Server) forwardInterrupt(bySignal bool) {
	s.running.mu.Lock()
	cell := s.running.cell
	s.running.mu.Unlock()
	if !s.lastInterrupt.isDuplicate(time.Now(), bySignal, cell) {
		s.Session.Interrupt()
	}
}
