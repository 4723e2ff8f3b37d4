package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/queue"
)

// A Conn is one end of a pipe. Each end is for one goroutine or process at a
// time; the last process that used or received it counts as having it.
type Conn[T any] struct{ end queue.End }

// NewPipe makes a pipe and returns its two ends; what is sent at one is
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

// Send sends v to the other end. Its errors are ErrClosed if the direction was
// closed at either end, ErrPeerDied if the process that has the other end is
// gone, ctx's, and that v cannot be encoded. It waits where the receiver is far
// behind.
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

// Recv waits for a value from the other end. Its error is io.EOF when there
// are no more, because the direction was closed or the process that has the
// other end is gone, or ctx's.
func (c *Conn[T]) Recv(ctx context.Context) (v T, err error) {
	err = c.RecvInto(ctx, &v)
	return v, err
}

// RecvInto is Recv for large values that arrive again and again: a slice of
// numbers goes into the memory that *v has, if it is large enough.
func (c *Conn[T]) RecvInto(ctx context.Context, v *T) error {
	if c == nil {
		return nilError("Conn")
	}
	if v == nil {
		return errNoPlace
	}
	return c.end.Recv(ctx, unsafe.Pointer(v))
}

// Poll reports whether a value has arrived, which Recv then returns without
// waiting.
func (c *Conn[T]) Poll() bool {
	if c == nil {
		panicNil("Conn")
	}
	return c.end.In != nil && c.end.In.Length() > 0
}

// Close ends the pipe in both directions. What was sent can still be received.
func (c *Conn[T]) Close() {
	if c == nil {
		panicNil("Conn")
	}
	c.end.Close()
}

// CloseWrite ends the direction from this end to the other: when what was sent
// has been received, Recv there returns io.EOF. This end can still receive.
func (c *Conn[T]) CloseWrite() {
	if c == nil {
		panicNil("Conn")
	}
	c.end.CloseWrite()
}

// GobEncode lets a Conn be part of what is sent to a process.
func (c *Conn[T]) GobEncode() ([]byte, error) {
	if c == nil {
		return nil, nilError("Conn")
	}
	return c.end.Encode()
}

// GobDecode is the other end of GobEncode.
func (c *Conn[T]) GobDecode(b []byte) error {
	if c == nil {
		return nilError("Conn")
	}
	return c.end.Open((*T)(nil), b)
}
