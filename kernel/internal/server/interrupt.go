package server

import (
	"context"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

// doubled is within which an interrupt by message and one by signal are one:
// some front ends send a message for a key that also sent SIGINT to the
// kernel's process group.
const doubled = 250 * time.Millisecond

// interrupts remembers the interrupt that was last passed on.
type interrupts struct {
	mu       sync.Mutex // guards what follows
	at       time.Time
	bySignal bool
}

// repeats reports whether an interrupt is the last one on its other way. Two on
// the same way are two, however close: they may mean different cells.
func (i *interrupts) repeats(now time.Time, bySignal bool) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if bySignal != i.bySignal && now.Sub(i.at) < doubled {
		return true
	}
	i.at, i.bySignal = now, bySignal
	return false
}

func (s *Server) interrupt(context.Context, *request, *wire.InterruptRequest) (reply, error) {
	s.passOnInterrupt(false)
	return answer(&wire.InterruptReply{Status: wire.Status{Status: wire.StatusOK}})
}

// Interrupt stops the running cell, for a SIGINT. With none it does nothing.
func (s *Server) Interrupt() { s.passOnInterrupt(true) }

func (s *Server) passOnInterrupt(bySignal bool) {
	if !s.interrupted.repeats(time.Now(), bySignal) {
		s.Session.Interrupt()
	}
}
