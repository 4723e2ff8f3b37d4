package server

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/wire"
)

const (
	maxPrompt = 200 // bytes

	batchDelay = 20 * time.Millisecond // how long stream output is gathered before it is published

	// minBatch and maxBatch bound the text in one stream message, in bytes. The size grows while batches are full
	// before batchDelay has passed. ZeroMQ subscribers buffer a thousand messages of any size. Some front ends read
	// none of them before they have the reply. With messages of 64 KB, such a front end and a kernel that waits for it
	// would block each other after 64 MB.
	minBatch = 64 << 10
	maxBatch = 512 << 10
)

// A sink publishes the output of one cell in messages whose parent is the cell's
// request, also after the cell has ended. Stream output is gathered for batchDelay. The gathered text is published
// before other output, so that the order is kept.
type sink struct {
	s            *Server
	cell         *request
	code         string
	silent       bool
	allowStdin   bool
	stopsOnError bool      // a failure of the cell aborts the queued cells
	abortOnce    sync.Once // done before the failure is published

	mu             sync.Mutex // guards the fields below; held while publishing, so that messages keep their order
	name           string     // the stream that text belongs to
	text           []byte
	batchSize      int    // maximum size of text, from minBatch to maxBatch
	flushScheduled bool   // a timer will flush text
	published      string // the unfinished last line of the published text; "" if the line is long
	count          int
	errorPublished bool // an error message has been published
}

var _ output.ByteSink = (*sink)(nil)

func newSink(s *Server, cell *request, req *wire.ExecuteRequest) *sink {
	return &sink{s: s, cell: cell, code: *req.Code, silent: req.Silent, allowStdin: req.AllowStdin, stopsOnError: req.StopOnError, batchSize: minBatch}
}

// publish publishes c after the gathered text. A silent cell publishes nothing.
func (k *sink) publish(c wire.Content) {
	if k.silent {
		return
	}
	k.flush()
	k.s.publish(k.cell.Message, c)
}

func (k *sink) Started(count int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.count = count
	k.publish(&wire.ExecuteInput{Code: k.code, ExecutionCount: count})
}

func (k *sink) Stream(name, text string) { k.StreamBytes(name, []byte(text)) }

func (k *sink) StreamBytes(name string, text []byte) {
	if len(text) == 0 || k.silent {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if name != k.name {
		k.flush()
		k.name, k.published = name, ""
	}
	for len(k.text)+len(text) >= k.batchSize {
		n := boundary(text, k.batchSize-len(k.text))
		k.text = append(k.text, text[:n]...)
		text = text[n:]
		k.flush()
		k.batchSize = min(2*k.batchSize, maxBatch)
	}
	k.text = append(k.text, text...)
	if len(k.text) > 0 && !k.flushScheduled {
		k.flushScheduled = true
		time.AfterFunc(batchDelay, k.flushBatch)
	}
}

// boundary returns the largest length up to n that does not split a character.
func boundary(text []byte, n int) int {
	if n >= len(text) {
		return len(text)
	}
	for i := n; i > 0 && i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			return i
		}
	}
	if n < utf8.UTFMax {
		return 0
	}
	return n // not UTF-8
}

func (k *sink) flushBatch() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flushScheduled = false
	k.batchSize = minBatch
	k.flush()
	k.text = nil // the sink of a cell that has ended may stay in memory for long
}

// flush publishes the gathered text. The caller holds k.mu.
func (k *sink) flush() {
	if len(k.text) == 0 {
		return
	}
	k.s.publishText(k.cell.Message, &wire.TextStream{Name: k.name, Text: k.text})
	k.noteUnfinished()
	k.text = k.text[:0]
}

func (k *sink) Display(d output.Display) {
	k.mu.Lock()
	defer k.mu.Unlock()
	data, metadata, transient := bundle(d.Data), object(d.Metadata), wire.Transient{DisplayID: d.DisplayID}
	if d.Update {
		k.publish(&wire.UpdateDisplayData{Data: data, Metadata: metadata, Transient: transient})
		return
	}
	k.publish(&wire.DisplayData{Data: data, Metadata: metadata, Transient: transient})
}

func (k *sink) Result(data output.Bundle, metadata map[string]any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.publish(&wire.ExecuteResult{ExecutionCount: k.count, Data: bundle(data), Metadata: object(metadata)})
}

// abortQueued aborts the queued cells, before the failure is published.
func (k *sink) abortQueued() {
	if k.stopsOnError {
		k.abortOnce.Do(func() {
			k.cell.awaitBurst()
			k.cell.queue.abortAfter(k.cell)
		})
	}
}

func (k *sink) Error(e *output.Error) {
	k.abortQueued()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.errorPublished = true
	k.publish(&wire.Error{EName: e.Name, EValue: e.Value, Traceback: lines(e.Colored())})
}

func (k *sink) Clear(wait bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.publish(&wire.ClearOutput{Wait: wait})
}

// Comm publishes m even for a silent cell, since m is not output.
func (k *sink) Comm(m output.Comm) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.s.comms.record(m)
	k.flush()
	k.s.publishWith(k.cell.Message, commContent(m), m.Metadata, m.Buffers...)
}

func (k *sink) Input(ctx context.Context, prompt string, password bool) (string, error) {
	if !k.allowStdin {
		return "", errNoStdin
	}
	k.mu.Lock()
	if unfinished := k.takeUnfinished(); prompt == "" {
		prompt = unfinished
	}
	k.flush()
	k.mu.Unlock()
	return k.s.stdin.ask(ctx, k.s, k.cell, &wire.InputRequest{Prompt: prompt, Password: password})
}

// noteUnfinished keeps the unfinished last line of the text that is published.
func (k *sink) noteUnfinished() {
	tail := k.text
	if i := bytes.LastIndexByte(tail, '\n'); i >= 0 {
		k.published, tail = "", tail[i+1:]
	}
	if len(k.published)+len(tail) > maxPrompt {
		k.published = ""
		return
	}
	k.published += string(tail)
}

// takeUnfinished returns the line that the cell has begun to print, for use as the prompt of
// an input request. It removes the line from the text that is not yet published, since the
// front end shows the prompt beside the answer.
func (k *sink) takeUnfinished() string {
	if k.name != output.Stdout {
		return ""
	}
	begun := bytes.LastIndexByte(k.text, '\n') + 1
	tail := string(k.text[begun:])
	if begun == 0 {
		tail = k.published + tail
	}
	if len(tail) > maxPrompt || strings.ContainsAny(tail, "\r\x1b") {
		return ""
	}
	k.text, k.published = k.text[:begun], ""
	return tail
}

// finish publishes the gathered text, and e if the session has published no error.
// It is called before the reply is sent.
func (k *sink) finish(e *output.Error) {
	if e != nil {
		k.abortQueued()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flush()
	if e != nil && !k.errorPublished {
		k.errorPublished = true
		k.publish(&wire.Error{EName: e.Name, EValue: e.Value, Traceback: lines(e.Colored())})
	}
}
