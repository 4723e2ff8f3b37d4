package server

import (
	"context"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/wire"
)

const (
	batchDelay = 20 * time.Millisecond // how long stream output waits for more

	// Bytes in one stream message. It grows while the batches fill up before
	// batchDelay is over: ZeroMQ subscribers buffer a thousand messages of any
	// size, and some read nothing before they have the reply. With messages of
	// 64 KB such a front end and a kernel that waits for it would block each
	// other at 64 MB.
	minBatch = 64 << 10
	maxBatch = 512 << 10
)

// A sink turns what one cell says into messages with the cell as their parent,
// also after the cell has ended. Stream output is gathered for batchDelay;
// everything else first sends what was gathered, which keeps the order.
type sink struct {
	s            *Server
	cell         *request
	code         string
	silent       bool
	allowStdin   bool
	stopsOnError bool      // its failure aborts the cells behind it
	abortOnce    sync.Once // done before the failure is told

	mu             sync.Mutex // guards what follows; held while publishing, which orders messages
	name           string     // the stream that text belongs to
	text           []byte
	batchSize      int  // of text, from minBatch to maxBatch
	flushScheduled bool // a flush is on its way
	count          int
	errorPublished bool // an error message was published
}

var _ output.Sink = (*sink)(nil)

func newSink(s *Server, cell *request, req *wire.ExecuteRequest) *sink {
	return &sink{s: s, cell: cell, code: *req.Code, silent: req.Silent, allowStdin: req.AllowStdin, stopsOnError: req.StopOnError, batchSize: minBatch}
}

// publish publishes c after what was gathered. A silent cell says nothing.
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

func (k *sink) Stream(name, text string) {
	if text == "" || k.silent {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if name != k.name {
		k.flush()
		k.name = name
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

// boundary returns the largest length up to n that cuts no character of text.
func boundary(text string, n int) int {
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
	k.text = nil // the cell may be over, and remembered for long
}

// flush publishes the gathered text. The caller holds k.mu.
func (k *sink) flush() {
	if len(k.text) == 0 {
		return
	}
	k.s.publish(k.cell.Message, &wire.Stream{Name: k.name, Text: string(k.text)})
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

// abortQueued stops the cells behind the cell, before it is told that it has failed.
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
	k.publish(&wire.Error{EName: e.Name, EValue: e.Value, Traceback: lines(e.Traceback)})
}

func (k *sink) Clear(wait bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.publish(&wire.ClearOutput{Wait: wait})
}

// Comm is sent for silent cells too: it is no output of theirs.
func (k *sink) Comm(m output.Comm) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.s.comms.record(m)
	k.flush()
	k.s.publishWith(k.cell.Message, commContent(m), m.Metadata)
}

func (k *sink) Input(ctx context.Context, prompt string, password bool) (string, error) {
	if !k.allowStdin {
		return "", errNoStdin
	}
	k.mu.Lock()
	k.flush()
	k.mu.Unlock()
	return k.s.stdin.ask(ctx, k.s, k.cell, &wire.InputRequest{Prompt: prompt, Password: password})
}

// finish publishes what is left, before the reply, and the error of the reply
// if the session did not.
func (k *sink) finish(e *output.Error) {
	if e != nil {
		k.abortQueued()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flush()
	if e != nil && !k.errorPublished {
		k.errorPublished = true
		k.publish(&wire.Error{EName: e.Name, EValue: e.Value, Traceback: lines(e.Traceback)})
	}
}
