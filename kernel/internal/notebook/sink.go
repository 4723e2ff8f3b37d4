package notebook

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A collector collects the outputs of all cells of one run. Its sinks share its lock,
// since any cell can update a display of another, and goroutines may print into a cell
// that has ended.
type collector struct {
	mu    sync.Mutex
	sinks []*cellSink
}

func (c *collector) sink() *cellSink {
	s := &cellSink{all: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sinks = append(c.sinks, s)
	return s
}

// A cellSink is the output.Sink of one cell, which stores its outputs in a list.
type cellSink struct {
	all *collector

	// all.mu guards the fields below.
	count        int
	outputs      []Output
	text         []byte // further text of the last output, if streamOpen
	streamOpen   bool
	clearPending bool
}

var _ output.Sink = (*cellSink)(nil)

// state returns the cell's execution count and its outputs so far.
func (s *cellSink) state() (count int, outputs []Output) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.finishStream()
	return s.count, slices.Clone(s.outputs)
}

// add appends an output. Its caller holds mu.
func (s *cellSink) add(o Output) {
	s.finishStream()
	s.outputs = append(s.outputs, o)
}

// finishStream stores the gathered text of the last output. Its caller holds mu.
func (s *cellSink) finishStream() {
	if s.streamOpen {
		s.outputs[len(s.outputs)-1].Text += string(s.text)
	}
	s.text, s.streamOpen = nil, false
}

func (s *cellSink) Started(count int) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.count = count
}

// Stream appends text to the last output if that output is of the same stream, as front ends do. It keeps carriage
// returns and backspaces, which front ends apply when they show the text.
func (s *cellSink) Stream(name, text string) {
	if text == "" {
		return
	}
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.clearIfPending()
	if n := len(s.outputs); n > 0 && s.outputs[n-1].Type == StreamOutput && s.outputs[n-1].Name == name {
		s.text, s.streamOpen = append(s.text, text...), true
		return
	}
	s.add(Output{Type: StreamOutput, Name: name, Text: text})
}

func (s *cellSink) Display(d output.Display) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if d.Update {
		s.all.update(d)
		return
	}
	s.clearIfPending()
	s.add(Output{
		Type: DisplayOutput, Data: d.Data, Metadata: d.Metadata, displayID: d.DisplayID,
	})
}

// update replaces the data of every output with the display's ID, or removes these outputs
// if the display is empty. Its caller holds mu.
func (c *collector) update(d output.Display) {
	for _, s := range c.sinks {
		if len(d.Data) == 0 && d.DisplayID != "" {
			s.finishStream()
			s.outputs = slices.DeleteFunc(s.outputs, func(o Output) bool { return o.displayID == d.DisplayID })
			continue
		}
		for i := range s.outputs {
			if o := &s.outputs[i]; d.DisplayID != "" && o.displayID == d.DisplayID {
				o.Data, o.Metadata = d.Data, d.Metadata
			}
		}
	}
}

func (s *cellSink) Result(data output.Bundle, metadata map[string]any) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.clearIfPending()
	s.add(Output{Type: ResultOutput, Data: data, Metadata: metadata, Count: s.count})
}

func (s *cellSink) Error(e *output.Error) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.clearIfPending()
	s.add(Output{Type: ErrorOutput, Err: e})
}

func (s *cellSink) Clear(wait bool) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.clearPending = wait
	if !wait {
		s.finishStream()
		s.outputs = nil
	}
}

// clearIfPending clears the outputs if Clear(true) was called. Its caller holds mu.
func (s *cellSink) clearIfPending() {
	if s.clearPending {
		s.finishStream()
		s.outputs, s.clearPending = nil, false
	}
}

// Comm drops the message, since there is no front end.
func (s *cellSink) Comm(output.Comm) {}

func (s *cellSink) Input(context.Context, string, bool) (string, error) {
	return "", errors.New("cannot read from standard input: the notebook runs without a front end that could ask for input")
}
