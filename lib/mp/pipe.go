package mp

import (
	"context"
	"errors"
	"io"
	"runtime"
	"unsafe"
)

// A Conn is one end of a pipe. Each end is for one goroutine or process at a
// time; the last process that used or received it counts as having it.
type Conn[T any] struct {
	in, out typedQueue[T]
	local   [2]*localQueue[T] // in, out, for goroutines
	users   *cell             // owners of the two ends
	side    int
}

// NewPipe makes a pipe and returns its two ends; what is sent at one is
// received at the other.
func NewPipe[T any](b Backend) (*Conn[T], *Conn[T], error) {
	if b == Goroutines {
		x, y := newLocalQueue[T](0, false), newLocalQueue[T](0, false)
		return &Conn[T]{local: [2]*localQueue[T]{x, y}}, &Conn[T]{local: [2]*localQueue[T]{y, x}, side: 1}, nil
	}
	x, err := newQueue[T](b, 0, false)
	if err != nil {
		return nil, nil, err
	}
	y, err := newQueue[T](b, 0, false)
	if err != nil {
		return nil, nil, err
	}
	users, err := newCell(b, cellSize)
	if err != nil {
		return nil, nil, err
	}
	p, q := x.(typedQueue[T]), y.(typedQueue[T])
	return &Conn[T]{in: p, out: q, users: users}, &Conn[T]{in: q, out: p, users: users, side: 1}, nil
}

// Send sends v to the other end. Its error is ErrClosed if either end was closed.
func (c *Conn[T]) Send(v T) error {
	if c.users == nil {
		return c.local[1].put(context.Background(), v, true)
	}
	c.register()
	return c.out.put(context.Background(), v, true)
}

// Recv waits for a value from the other end. Its error is io.EOF when there
// are no more, because the pipe was closed or the process that has the other
// end is gone, or ctx's.
func (c *Conn[T]) Recv(ctx context.Context) (v T, err error) {
	err = c.RecvInto(ctx, &v)
	return v, err
}

// RecvInto is Recv for large values that arrive again and again: a slice of
// numbers goes into the memory that *v has, if it is large enough.
func (c *Conn[T]) RecvInto(ctx context.Context, v *T) error {
	if c.users == nil {
		return eof(c.local[0].getInto(ctx, v))
	}
	c.register()
	c.in.s.orphaned = c.orphaned
	ok, err := c.in.s.fetch(ctx, unsafe.Pointer(v), true)
	if err == nil && !ok {
		err = io.EOF
	}
	return eof(err)
}

func eof(err error) error {
	if errors.Is(err, ErrClosed) {
		return io.EOF
	}
	return err
}

// register makes this process the one that has this end.
func (c *Conn[T]) register() {
	if u := c.users.u64(64 * c.side); u.Load() != self().word() {
		u.Store(self().word())
	}
	runtime.KeepAlive(c)
}

// orphaned reports whether the process that had the other end is dead.
func (c *Conn[T]) orphaned() bool {
	defer runtime.KeepAlive(c)
	other := ownerOf(c.users.u64(64 * (1 - c.side)).Load())
	return other.pid != 0 && !other.alive()
}

// Close ends the pipe in both directions. What was sent can still be received.
func (c *Conn[T]) Close() {
	if c.users == nil {
		c.local[0].close()
		c.local[1].close()
		return
	}
	c.in.close()
	c.out.close()
}

// GobEncode lets a Conn be part of what is sent to a process.
func (c *Conn[T]) GobEncode() ([]byte, error) {
	if c.users == nil {
		return c.local[0].left.encode("Pipe")
	}
	var b []byte
	for _, part := range []*cell{c.in.s.c, c.out.s.c, c.users} {
		h, err := part.encode("Pipe")
		if err != nil {
			return nil, err
		}
		b = appendStrings(b, string(h))
	}
	return append(b, byte(c.side)), nil
}

// GobDecode is the other end of GobEncode.
func (c *Conn[T]) GobDecode(b []byte) error {
	if len(b) == 0 {
		return errMalformed
	}
	parts, err := splitStrings(b[:len(b)-1])
	if err != nil || len(parts) != 3 || b[len(b)-1] > 1 {
		return errMalformed
	}
	in, err := openTypedQueue[T]([]byte(parts[0]))
	if err != nil {
		return err
	}
	out, err := openTypedQueue[T]([]byte(parts[1]))
	if err != nil {
		return err
	}
	if c.users, err = openCell([]byte(parts[2]), "Pipe"); err != nil {
		return err
	}
	c.in, c.out, c.side = in, out, int(b[len(b)-1])
	c.register()
	return nil
}
