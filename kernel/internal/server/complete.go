package server

import (
	"context"

	"github.com/perijove/perijove/kernel/internal/wire"
)

func (s *Server) complete(ctx context.Context, _ *request, req *wire.CompleteRequest) (reply, error) {
	code := *req.Code
	c, err := s.Session.Complete(ctx, code, byteOffset(code, req.CursorPos))
	if err != nil {
		return reply{}, err
	}
	start, end := codePoints(code, c.Start), codePoints(code, c.End)
	matches := make([]string, 0, len(c.Matches))
	types := make([]wire.CompletionType, 0, len(c.Matches))
	for _, m := range c.Matches {
		matches = append(matches, m.Text)
		types = append(types, wire.CompletionType{
			Start: start, End: end, Text: m.Text, Type: m.Type, Signature: m.Signature,
		})
	}
	return answer(&wire.CompleteReply{
		Status:      wire.Status{Status: wire.StatusOK},
		Matches:     matches,
		CursorStart: start,
		CursorEnd:   end,
		Metadata:    wire.CompleteMetadata{Types: types},
	})
}
