package server

import (
	"context"
	"encoding/json"

	"github.com/perijove/perijove/kernel/internal/wire"
)

// The kernel offers no comm targets yet: whoever opens one is told that it is
// closed, as the protocol wants.

func (s *Server) commInfo(context.Context, *request, *wire.CommInfoRequest) (reply, error) {
	return answer(&wire.CommInfoReply{
		Status: wire.Status{Status: wire.StatusOK},
		Comms:  map[string]wire.CommTarget{},
	})
}

func (s *Server) commOpen(_ context.Context, r *request, c *wire.CommOpen) (reply, error) {
	s.Log.Info("refused a comm: nobody serves its target", "target", c.TargetName)
	s.publishNow(r.Message, &wire.CommClose{CommID: c.CommID, Data: json.RawMessage("{}")})
	return reply{}, nil
}

func (s *Server) commMsg(_ context.Context, _ *request, c *wire.CommMsg) (reply, error) {
	s.Log.Info("ignored a message for a comm that is not open", "comm", c.CommID)
	return reply{}, nil
}

func (s *Server) commClose(context.Context, *request, *wire.CommClose) (reply, error) {
	return reply{}, nil
}
