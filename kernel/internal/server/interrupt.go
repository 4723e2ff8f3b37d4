package server

import (
	"context"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

// doubled is within which two interrupts are one: a front end's message and
// the SIGINT that its process group got by the same key.
const doubled = 250 * time.Millisecond

func (s *Server) interrupt(context.Context, *request, *wire.InterruptRequest) (reply, error) {
	s.Interrupt()
	return answer(&wire.InterruptReply{Status: wire.Status{Status: wire.StatusOK}})
}

// Interrupt stops the running cell. With none it does nothing.
func (s *Server) Interrupt() {
	now := time.Now().UnixNano()
	before := s.interrupted.Load()
	if now-before < int64(doubled) || !s.interrupted.CompareAndSwap(before, now) {
		return
	}
	s.Session.Interrupt()
}
