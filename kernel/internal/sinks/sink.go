// Package sinks has implementations of output.Sink that wrap another sink: they limit,
// record, copy or drop output.
package sinks

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A wrapper is a sink that passes output on to another.
type wrapper interface{ unwrap() output.Sink }

// IsDiscarded reports whether s, or the sink that it wraps, drops all output.
func IsDiscarded(s output.Sink) bool {
	switch s := s.(type) {
	case Discard, *ResultOnly:
		return true
	case wrapper:
		return IsDiscarded(s.unwrap())
	}
	return false
}

// Discard drops output. Messages of comms and requests for input still reach the wrapped Sink, if it is not nil.
type Discard struct{ output.Sink }

func (Discard) Started(int)                          {}
func (Discard) Stream(string, string)                {}
func (Discard) Display(output.Display)               {}
func (Discard) Result(output.Bundle, map[string]any) {}
func (Discard) Error(*output.Error)                  {}
func (Discard) Clear(bool)                           {}

// Comm passes m on, since silent cells may use widgets, which the front end must keep up to date.
func (d Discard) Comm(m output.Comm) {
	if d.Sink != nil {
		d.Sink.Comm(m)
	}
}

// Input passes the request for input on.
func (d Discard) Input(ctx context.Context, prompt string, password bool) (string, error) {
	if d.Sink == nil {
		return "", errors.New("cannot ask for input: no cell is running")
	}
	return d.Sink.Input(ctx, prompt, password)
}

// ResultOnly keeps a result and drops everything else.
type ResultOnly struct {
	Discard
	Data     output.Bundle // nil if there was no result
	Metadata map[string]any
}

// Result keeps the result.
func (r *ResultOnly) Result(data output.Bundle, metadata map[string]any) {
	r.Data, r.Metadata = data, metadata
}

// TextOnly passes on stream output and drops displays and results.
type TextOnly struct{ output.Sink }

func (TextOnly) Started(int)                          {}
func (TextOnly) Display(output.Display)               {}
func (TextOnly) Result(output.Bundle, map[string]any) {}
func (TextOnly) Error(*output.Error)                  {}
func (TextOnly) Clear(bool)                           {}

// WholeLines is a TextOnly with a method End. End adds a newline if the text that was passed on to standard output
// does not end with one.
type WholeLines struct {
	TextOnly

	mu   sync.Mutex
	open bool // the text on standard output does not end with a new line
}

// Stream passes on text.
func (w *WholeLines) Stream(name, text string) {
	if name == output.Stdout && text != "" {
		w.mu.Lock()
		w.open = !strings.HasSuffix(text, "\n")
		w.mu.Unlock()
	}
	w.TextOnly.Stream(name, text)
}

// End ends the last line of standard output.
func (w *WholeLines) End() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open {
		w.open = false
		w.TextOnly.Stream(output.Stdout, "\n")
	}
}
