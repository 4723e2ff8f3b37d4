package gonb

import (
	"bytes"
	"encoding/gob"
	"io"
	"sync"
)

// An Encoder writes values from the front end for a program.
type Encoder struct {
	w   io.Writer
	mu  sync.Mutex
	buf bytes.Buffer
	gob *gob.Encoder
}

// NewEncoder returns an Encoder that calls w.Write once for each value.
func NewEncoder(w io.Writer) *Encoder {
	e := &Encoder{w: w}
	e.gob = gob.NewEncoder(&e.buf)
	return e
}

// Send writes a value. It may be called concurrently.
func (e *Encoder) Send(v Value) error {
	registerOnce()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.gob.Encode(v); err != nil {
		return err
	}
	_, err := e.buf.WriteTo(e.w)
	return err
}
