package gonb

import (
	"bytes"
	"encoding/gob"
	"io"
	"sync"
)

// An Encoder writes what a program reads: values from the front end.
type Encoder struct {
	w   io.Writer
	mu  sync.Mutex
	buf bytes.Buffer
	gob *gob.Encoder
}

// NewEncoder writes to w, with one Write for each value.
func NewEncoder(w io.Writer) *Encoder {
	e := &Encoder{w: w}
	e.gob = gob.NewEncoder(&e.buf)
	return e
}

// Send writes a value.
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
