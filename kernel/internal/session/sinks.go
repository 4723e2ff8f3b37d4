package session

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

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

// recorder keeps the text form of a cell's result for the history, and notes
// whether the cell shows anything.
type recorder struct {
	output.Sink
	text  string
	shows atomic.Bool
}

func (r *recorder) Stream(name, text string) {
	r.shows.Store(true)
	r.Sink.Stream(name, text)
}

func (r *recorder) Display(d output.Display) {
	r.shows.Store(true)
	r.Sink.Display(d)
}

func (r *recorder) Clear(wait bool) {
	r.shows.Store(false)
	r.Sink.Clear(wait)
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

// hasOutput reports whether the cell shows something already, or may.
func (r *run) hasOutput() bool {
	rec, ok := r.sink.(*recorder)
	return !ok || rec.shows.Load()
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
