package session

import (
	"context"
	"errors"
	"strings"

	"github.com/perijove/perijove/kernel/internal/output"
)

// quiet drops output; input still reaches the front end if there is one.
type quiet struct{ output.Sink }

func (quiet) Started(int)                          {}
func (quiet) Stream(string, string)                {}
func (quiet) Display(output.Display)               {}
func (quiet) Result(output.Bundle, map[string]any) {}
func (quiet) Error(*output.Error)                  {}
func (quiet) Clear(bool)                           {}

// Comm is no output: a silent cell's widgets are told to the front end too.
func (q quiet) Comm(m output.Comm) {
	if q.Sink != nil {
		q.Sink.Comm(m)
	}
}

func (q quiet) Input(ctx context.Context, prompt string, password bool) (string, error) {
	if q.Sink == nil {
		return "", errors.New("no cell is running that could ask for input")
	}
	return q.Sink.Input(ctx, prompt, password)
}

// historyText bounds, in bytes, what the history keeps of a result.
const historyText = 16 << 10

// recorder keeps the text form of a cell's result for the history.
type recorder struct {
	output.Sink
	text string
}

func (r *recorder) Result(data output.Bundle, metadata map[string]any) {
	if t, ok := data["text/plain"].(string); ok {
		r.text = strings.ToValidUTF8(t[:min(len(t), historyText)], "")
	}
	r.Sink.Result(data, metadata)
}

// capture keeps a result and drops everything else.
type capture struct {
	quiet
	data     output.Bundle
	metadata map[string]any
}

func (c *capture) Result(data output.Bundle, metadata map[string]any) {
	c.data, c.metadata = data, metadata
}

// unseen reports whether nobody sees what a sink is given.
func unseen(s output.Sink) bool {
	switch s := s.(type) {
	case *recorder:
		return unseen(s.Sink)
	case *capped:
		return unseen(s.Sink)
	case *copying:
		return unseen(s.Sink)
	case quiet, *capture:
		return true
	}
	return false
}
