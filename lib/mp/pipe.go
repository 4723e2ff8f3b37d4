package mp

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/failure"
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
	looked  int64 // when send last looked whether the peer lives, in nanoseconds
}

// NewPipe makes a pipe and returns its two ends; what is sent at one is
// received at the other.
func NewPipe[T any](b Backend) (*Conn[T], *Conn[T], error) {
	x, y, err := newEnds((*T)(nil), call.ElemOf[T](), b)
	if err != nil {
		return nil, nil, err
	}
	return &Conn[T]{x}, &Conn[T]{y}, nil
}

//go:noinline
func newEnds(pointer any, e call.Elem, b Backend) (one, other pipeEnd, err error) {
	x, err := newQueue(pointer, e, b, 0, false)
	if err != nil {
		return one, other, err
	}
	y, err := newQueue(pointer, e, b, 0, false)
	if err != nil {
		return one, other, err
	}
	one, other = pipeEnd{in: x, out: y}, pipeEnd{in: y, out: x, side: 1}
	if b == Processes {
		users, err := newObject(b, objectSize)
		if err != nil {
			return one, other, err
		}
		for _, end := range []*pipeEnd{&one, &other} {
			end.users = users
			end.in, end.out = end.watched(end.in), end.watched(end.out)
		}
	}
	return one, other, nil
}

// watched is q for this end, whose waits end when the peer is dead.
func (c *pipeEnd) watched(q queue) queue {
	shared := q.(*sharedQueue)
	w := attachQueue(shared.o, shared.codec)
	users, side := c.users, c.side
	w.orphaned = func() bool { return peerIsDead(users, side) }
	return w
}

// Send sends v to the other end. Its errors are ErrClosed if the direction was
// closed at either end, ErrPeerDied if the process that has the other end is
// gone, ctx's, and that v cannot be encoded. It waits where the receiver is far
// behind.
func (c *Conn[T]) Send(ctx context.Context, v T) error {
	if c == nil {
		return nilError("Conn")
	}
	if c.end.users == nil {
		return c.end.send(ctx, call.Hide(unsafe.Pointer(&v)))
	}
	kept := v
	return c.end.send(ctx, unsafe.Pointer(&kept))
}

// peerInterval is how often send looks whether the peer lives.
const peerInterval = 20 * time.Millisecond

func (c *pipeEnd) send(ctx context.Context, v unsafe.Pointer) error {
	if c.out == nil {
		return errNoPipe
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	c.register()
	if c.users != nil {
		now := time.Now().UnixNano()
		if last := atomic.LoadInt64(&c.looked); now-last > int64(peerInterval) || now < last {
			if peerIsDead(c.users, c.side) {
				return ErrPeerDied
			}
			atomic.StoreInt64(&c.looked, now)
		}
	}
	return c.out.put(ctx, v, true)
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
	return c.end.recv(ctx, unsafe.Pointer(v))
}

func (c *pipeEnd) recv(ctx context.Context, v unsafe.Pointer) error {
	if c.in == nil {
		return errNoPipe
	}
	c.register()
	ok, err := c.in.get(ctx, v, true)
	if err == nil && !ok {
		err = io.EOF
	}
	return eof(err)
}

func eof(err error) error {
	if failure.Is(err, ErrClosed) {
		return io.EOF
	}
	return err
}

// Poll reports whether a value has arrived, which Recv then returns without
// waiting.
func (c *Conn[T]) Poll() bool {
	if c == nil {
		panicNil("Conn")
	}
	return c.end.in != nil && c.end.in.length() > 0
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

// peerIsDead reports whether the process that had the other end is dead.
func peerIsDead(users *shm.Object, side int) bool {
	defer runtime.KeepAlive(users)
	peer := shm.OwnerOf(users.U64(64 * (1 - side)).Load())
	return peer.PID != 0 && !peer.Alive()
}

// Close ends the pipe in both directions. What was sent can still be received.
func (c *Conn[T]) Close() {
	if c == nil {
		panicNil("Conn")
	}
	c.end.close()
}

func (c *pipeEnd) close() {
	if c.in != nil {
		c.in.close()
	}
	c.closeWrite()
}

func (c *pipeEnd) closeWrite() {
	if c.out != nil {
		c.out.close()
	}
}

var errNoPipe = notMade("Conn", "mp.NewPipe")

// CloseWrite ends the direction from this end to the other: when what was sent
// has been received, Recv there returns io.EOF. This end can still receive.
func (c *Conn[T]) CloseWrite() {
	if c == nil {
		panicNil("Conn")
	}
	c.end.closeWrite()
}

// GobEncode lets a Conn be part of what is sent to a process.
func (c *Conn[T]) GobEncode() ([]byte, error) {
	if c == nil {
		return nil, nilError("Conn")
	}
	return c.end.encode()
}

func (c *pipeEnd) encode() ([]byte, error) {
	if c.in == nil {
		return nil, errNoPipe
	}
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
		b = codec.AppendStrings(b, string(h))
	}
	noteSent(c.users, c.side)
	return append(b, byte(c.side)), nil
}

// GobDecode is the other end of GobEncode.
func (c *Conn[T]) GobDecode(b []byte) error {
	if c == nil {
		return nilError("Conn")
	}
	return c.end.open((*T)(nil), b)
}

func (c *pipeEnd) open(pointer any, b []byte) error {
	if len(b) == 0 {
		return failure.ErrMalformed
	}
	parts, err := codec.SplitStrings(b[:len(b)-1])
	if err != nil || len(parts) != 3 || b[len(b)-1] > 1 {
		return failure.ErrMalformed
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
		return failure.Wrap("cannot open a Pipe", err)
	}
	c.side = int(b[len(b)-1])
	c.in, c.out = c.watched(in), c.watched(out)
	c.register()
	return nil
}

// A sentEnd is an end of a pipe on its way to a child.
type sentEnd struct {
	users *shm.Object
	side  int
}

// sentEnds are the ends in what the goroutines that collect them encode.
var sentEnds struct {
	mu sync.Mutex
	by map[uintptr]*[]sentEnd // by currentG
}

// collectEnds returns which ends of pipes are in what f encodes.
func collectEnds(f func() error) (ends []sentEnd, err error) {
	g := currentG()
	sentEnds.mu.Lock()
	if sentEnds.by == nil {
		sentEnds.by = make(map[uintptr]*[]sentEnd)
	}
	sentEnds.by[g] = &ends
	sentEnds.mu.Unlock()
	defer func() {
		sentEnds.mu.Lock()
		defer sentEnds.mu.Unlock()
		delete(sentEnds.by, g)
	}()
	err = f()
	return ends, err
}

func noteSent(users *shm.Object, side int) {
	sentEnds.mu.Lock()
	defer sentEnds.mu.Unlock()
	if ends := sentEnds.by[currentG()]; ends != nil {
		*ends = append(*ends, sentEnd{users, side})
	}
}

// giveEnds makes a child the one that has the ends, which it may not live to say.
func giveEnds(ends []sentEnd, pid int) {
	if len(ends) == 0 {
		return
	}
	owner := shm.Child(pid).Word()
	for _, e := range ends {
		e.users.U64(64 * e.side).Store(owner)
		runtime.KeepAlive(e.users)
	}
}
