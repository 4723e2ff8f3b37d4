package server

import (
	"context"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

// duplicateWindow is the time in which a signal and a message count as one
// interrupt: some front ends send a message for a key that also sends SIGINT to
// the kernel's process group.
const duplicateWindow = 250 * time.Millisecond

// interruptRecord is the last interrupt that was forwarded to the session.
type interruptRecord struct {
	mu       sync.Mutex // guards the fields below
	at       time.Time
	bySignal bool
	cell     *request // the cell that was running
}

// isDuplicate reports whether an interrupt is the same as the last one, once received as a signal and once as a
// message. Two signals are two interrupts. So are two messages, and interrupts of different cells.
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

// Interrupt stops the running cell, if there is one. It is called when the kernel receives SIGINT.
func (s *Server) Interrupt() { s.forwardInterrupt(true) }

func (s *Server) forwardInterrupt(bySignal bool) {
	s.running.mu.Lock()
	cell := s.running.cell
	s.running.mu.Unlock()
	if !s.lastInterrupt.isDuplicate(time.Now(), bySignal, cell) {
		s.Session.Interrupt()
	}
}
