package server

import (
	"context"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

// shutdown ends the worker process, and with it the running cell, then replies, then ends Serve. The kernel does the
// same for a restart; the front end then starts a new kernel. The reply is also published to all front ends.
func (s *Server) shutdown(_ context.Context, r *request, req *wire.ShutdownRequest) (reply, error) {
	if err := s.closeSession(); err != nil {
		s.Log.Error("closing the session", "error", err)
	}
	s.main.close()
	select {
	case <-s.main.ended:
	case <-time.After(closeTimeout):
		s.Log.Warn("shutting down without waiting for the running cell")
	}
	s.shuttingDown.Store(true)
	done := &wire.ShutdownReply{Status: wire.Status{Status: wire.StatusOK}, Restart: req.Restart}
	s.publishNow(r.Message, done)
	return answer(done)
}
