package server

import (
	"context"

	"github.com/perijove/perijove/kernel/internal/wire"
)

func (s *Server) inspect(ctx context.Context, _ *request, req *wire.InspectRequest) (reply, error) {
	code := *req.Code
	found, err := s.Session.Inspect(ctx, code, byteOffset(code, req.CursorPos), req.DetailLevel)
	if err != nil {
		return reply{}, err
	}
	return answer(&wire.InspectReply{
		Status:   wire.Status{Status: wire.StatusOK},
		Found:    found.Found,
		Data:     bundle(found.Data),
		Metadata: object(nil),
	})
}
