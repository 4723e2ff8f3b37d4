package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/queue"
)

// A Conn is one end of a pipe. Only one goroutine or process at a time may use an end.
// An end belongs to the last process that used or received it.
type Conn[T any] struct{ end queue.End }

// NewPipe makes a pipe and returns its two ends; a value that is sent at one is
// received at the other.
func NewPipe[T any](b Backend) (*Conn[T], *Conn[T], error) {
	shared, err := isShared(b)
	if err != nil {
		return nil, nil, err
	}
	x, y, err := queue.NewEnds((*T)(nil), call.ElemOf[T](), shared)
	if err != nil {
		return nil, nil, err
	}
	return &Conn[T]{x}, &Conn[T]{y}, nil
}

// Send sends v to the other end. It may wait if the receiver is far behind. It returns
// ErrClosed if either end has closed this direction, ErrPeerDied if the process that has
// the other end is gone, the error of ctx if ctx ends first, or the error of encoding v.
func (c *Conn[T]) Send(ctx context.Context, v T) error {
	if c == nil {
		return nilError("Conn")
	}
	if c.end.Users == nil {
		return c.end.Send(ctx, call.Hide(unsafe.Pointer(&v)))
	}
	kept := v
	return c.end.Send(ctx, unsafe.Pointer(&kept))
}

// Recv waits for a value from the other end. It returns io.EOF when no more values come,
// because the direction was closed or the process that has the other end is gone.
// Otherwise it returns the error of ctx if ctx ends first, or the error of decoding the
// value.
//
//go:noinline
func (c *Conn[T]) Recv(ctx context.Context) (v T, err error) {
	err = c.RecvInto(ctx, &v)
	return v, err
}

// RecvInto is Recv into *v. It avoids allocations for large values: a slice of numbers
// reuses the memory of *v if that is large enough.
func (c *Conn[T]) RecvInto(ctx context.Context, v *T) error {
	if c == nil {
		return nilError("Conn")
	}
	if v == nil {
		return queue.ErrNoPlace
	}
	return c.end.Recv(ctx, unsafe.Pointer(v))
}

// Poll reports whether a value has arrived, so that Recv returns it without waiting.
func (c *Conn[T]) Poll() bool {
	if c == nil {
		panicNil("Conn")
	}
	return c.end.In != nil && c.end.In.Length() > 0
}

// Close closes the pipe in both directions. Values that were sent can still be received.
func (c *Conn[T]) Close() {
	if c == nil {
		panicNil("Conn")
	}
	c.end.Close()
}

// CloseWrite closes the direction from this end to the other: after the values that
// were sent, Recv at the other end returns io.EOF. This end can still receive.
func (c *Conn[T]) CloseWrite() {
	if c == nil {
		panicNil("Conn")
	}
	c.end.CloseWrite()
}

// GobEncode lets a Conn be part of a value that is sent to a process, as a reference.
func (c *Conn[T]) GobEncode() ([]byte, error) {
	if c == nil {
		return nil, nilError("Conn")
	}
	return c.end.Encode()
}

// GobDecode is the inverse of GobEncode.
func (c *Conn[T]) GobDecode(b []byte) error {
	if c == nil {
		return nilError("Conn")
	}
	return c.end.Open((*T)(nil), b)
}
