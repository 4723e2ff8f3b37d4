package sinks

import (
	"strings"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/output"
)

// maxRecorded is the maximum text of a result that a Recorder keeps, in bytes.
const maxRecorded = 16 << 10

// A Recorder keeps the text of a cell's result for the history, and records
// whether the cell shows anything.
type Recorder struct {
	output.Sink
	Text string // text of the result; to be read after the cell has ended
	// Metadata is the metadata of the result. Read it after the cell has ended.
	Metadata map[string]any
	shows    atomic.Bool
}

// NewRecorder returns a Recorder that passes everything on to s.
func NewRecorder(s output.Sink) *Recorder { return &Recorder{Sink: s} }

func (r *Recorder) unwrap() output.Sink { return r.Sink }

// Stream passes text on.
func (r *Recorder) Stream(name, text string) {
	r.shows.Store(true)
	r.Sink.Stream(name, text)
}

// StreamBytes passes text on.
func (r *Recorder) StreamBytes(name string, text []byte) {
	r.shows.Store(true)
	output.StreamBytes(r.Sink, name, text)
}

// Display passes a display on.
func (r *Recorder) Display(d output.Display) {
	r.shows.Store(true)
	r.Sink.Display(d)
}

// Clear passes the call on.
func (r *Recorder) Clear(wait bool) {
	r.shows.Store(false)
	r.Sink.Clear(wait)
}

// Result keeps the text and the metadata and passes the result on.
func (r *Recorder) Result(data output.Bundle, metadata map[string]any) {
	r.Metadata = metadata
	if t, ok := data["text/plain"].(string); ok {
		r.Text = strings.ToValidUTF8(t[:min(len(t), maxRecorded)], "")
	}
	r.Sink.Result(data, metadata)
}

// HasOutput reports whether the cell whose output goes to s has shown something. It returns true if s is not a
// Recorder.
func HasOutput(s output.Sink) bool {
	r, ok := s.(*Recorder)
	return !ok || r.shows.Load()
}
