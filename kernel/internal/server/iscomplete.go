package server

import (
	"context"

	"github.com/perijove/perijove/kernel/internal/wire"
)

func (s *Server) isComplete(_ context.Context, _ *request, req *wire.IsCompleteRequest) (reply, error) {
	c := s.Session.IsComplete(*req.Code)
	return answer(&wire.IsCompleteReply{Status: c.Status, Indent: c.Indent})
}
