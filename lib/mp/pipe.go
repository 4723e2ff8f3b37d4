package mp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A Conn is one end of a pipe. Each end is for one goroutine or process at a
// time; the last process that used or received it counts as having it.
type Conn[T any] struct{ end pipeEnd }

// A pipeEnd is what of a Conn does not depend on the type of the values.
type pipeEnd struct {
	in, out queue
	users   *shm.Object // owners of the two ends; nil for goroutines
	side    int
}

// NewPipe makes a pipe and returns its two ends; what is sent at one is
// received at the other.
func NewPipe[T any](b Backend) (*Conn[T], *Conn[T], error) {
	x, y, err := newEnds((*T)(nil), elemOf[T](), b)
	if err != nil {
		return nil, nil, err
	}
	return &Conn[T]{x}, &Conn[T]{y}, nil
}

//go:noinline
func newEnds(pointer any, e elem, b Backend) (one, other pipeEnd, err error) {
	x, err := newQueue(pointer, e, b, 0, false)
	if err != nil {
		return one, other, err
	}
	y, err := newQueue(pointer, e, b, 0, false)
	if err != nil {
		return one, other, err
	}
	var users *shm.Object
	if b == Processes {
		if users, err = newObject(b, objectSize); err != nil {
			return one, other, err
		}
	}
	return pipeEnd{x, y, users, 0}, pipeEnd{y, x, users, 1}, nil
}

// Send sends v to the other end. Its error is ErrClosed if either end was closed.
func (c *Conn[T]) Send(v T) error {
	if c.end.users == nil {
		return c.end.send(hide(unsafe.Pointer(&v)))
	}
	kept := v
	return c.end.send(unsafe.Pointer(&kept))
}

func (c *pipeEnd) send(v unsafe.Pointer) error {
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
	return c.end.recv(ctx, unsafe.Pointer(v))
}

func (c *pipeEnd) recv(ctx context.Context, v unsafe.Pointer) error {
	c.register()
	if in, ok := c.in.(*sharedQueue); ok {
		in.orphaned = c.orphaned
	}
	ok, err := c.in.get(ctx, v, true)
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
func (c *pipeEnd) register() {
	if c.users == nil {
		return
	}
	if u := c.users.U64(64 * c.side); u.Load() != shm.Self().Word() {
		u.Store(shm.Self().Word())
	}
	runtime.KeepAlive(c)
}

// orphaned reports whether the process that had the other end is dead.
func (c *pipeEnd) orphaned() bool {
	defer runtime.KeepAlive(c)
	other := shm.OwnerOf(c.users.U64(64 * (1 - c.side)).Load())
	return other.PID != 0 && !other.Alive()
}

// Close ends the pipe in both directions. What was sent can still be received.
func (c *Conn[T]) Close() { c.end.close() }

func (c *pipeEnd) close() {
	c.in.close()
	c.out.close()
}

// GobEncode lets a Conn be part of what is sent to a process.
func (c *Conn[T]) GobEncode() ([]byte, error) { return c.end.encode() }

func (c *pipeEnd) encode() ([]byte, error) {
	in, ok := c.in.(*sharedQueue)
	if !ok {
		return nil, fmt.Errorf("mp: cannot send this Pipe: %w", shm.ErrLocal)
	}
	var b []byte
	for _, part := range []*shm.Object{in.o, c.out.(*sharedQueue).o, c.users} {
		h, err := encodeObject(part, "Pipe")
		if err != nil {
			return nil, err
		}
		b = appendStrings(b, string(h))
	}
	return append(b, byte(c.side)), nil
}

// GobDecode is the other end of GobEncode.
func (c *Conn[T]) GobDecode(b []byte) error { return c.end.open((*T)(nil), b) }

func (c *pipeEnd) open(pointer any, b []byte) error {
	if len(b) == 0 {
		return errMalformed
	}
	parts, err := splitStrings(b[:len(b)-1])
	if err != nil || len(parts) != 3 || b[len(b)-1] > 1 {
		return errMalformed
	}
	in, err := openQueue(pointer, []byte(parts[0]))
	if err != nil {
		return err
	}
	out, err := openQueue(pointer, []byte(parts[1]))
	if err != nil {
		return err
	}
	if c.users, err = shm.Open([]byte(parts[2]), 0); err != nil {
		return within("cannot open a Pipe", err)
	}
	c.in, c.out, c.side = in, out, int(b[len(b)-1])
	c.register()
	return nil
}
