// Package control is the protocol between the kernel and its worker process, which runs the cells: a stream of frames
// over a socket pair. A frame holds one message, and each kind of message is a Go type. Both processes import this
// package.
package control

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

const (
	// FD is the file descriptor of the control socket in a worker process.
	FD = 3

	// MemoryFlag is the prefix of the argument that limits the memory of a worker process. The number of
	// bytes follows it.
	MemoryFlag = "-memory="

	// MaxFrame is the maximum size of a message, in bytes. It is large since messages contain pictures, as base64
	// text.
	MaxFrame = 256 << 20

	// MaxExecutions is the number of executions of cells that the kernel and the worker process remember. Late output
	// of an older execution appears in the output of the running cell.
	MaxExecutions = 1024
)

// A Conn sends and receives messages. Send may be called concurrently, Receive from one
// goroutine at a time.
type Conn struct {
	r  *bufio.Reader
	mu sync.Mutex // guards w: a frame is written whole
	w  io.Writer
}

// New returns a Conn over a connected socket.
func New(rw io.ReadWriter) *Conn { return &Conn{r: bufio.NewReader(rw), w: rw} }

// An EncodeError reports a message that cannot be encoded in JSON or is too large. The
// connection stays usable.
type EncodeError struct{ Err error }

func (e *EncodeError) Error() string { return e.Err.Error() }
func (e *EncodeError) Unwrap() error { return e.Err }

// Send writes one message: the length of the rest in 4 bytes, the kind, a space, and the message in JSON. The error
// is an EncodeError if the message cannot be sent, or an error of the socket.
func (c *Conn) Send(m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return &EncodeError{err}
	}
	length := len(m.kind()) + 1 + len(body)
	if length > MaxFrame {
		return &EncodeError{fmt.Errorf("cannot send a message of kind %q between the kernel and the worker process: its %d bytes exceed the limit of %d MB", m.kind(), length, MaxFrame>>20)}
	}
	frame := make([]byte, 4, 4+length)
	binary.LittleEndian.PutUint32(frame, uint32(length))
	frame = append(append(append(frame, m.kind()...), ' '), body...)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err = c.w.Write(frame)
	return err
}

// Receive reads one message. It returns io.EOF when the other side has closed the connection.
func (c *Conn) Receive() (Message, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > MaxFrame {
		return nil, fmt.Errorf("malformed control message between the kernel and the worker process: its length is %d bytes, more than the limit of %d", n, MaxFrame)
	}
	// Allocate memory as bytes arrive, since the length is not trusted.
	b, err := io.ReadAll(io.LimitReader(c.r, int64(n)))
	if err != nil {
		return nil, err
	}
	if len(b) < int(n) {
		return nil, io.EOF
	}
	kind, body, _ := bytes.Cut(b, []byte(" "))
	m, err := decode(string(kind), body)
	if err != nil {
		return nil, fmt.Errorf("malformed control message between the kernel and the worker process: %w", err)
	}
	return m, nil
}
