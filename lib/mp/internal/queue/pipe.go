package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/goroutine"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// An End is the part of an mp.Conn that does not depend on the type of its values.
type End struct {
	In, out Untyped
	Users   *shm.Object // object that names the processes that have the two ends; nil for goroutines
	side    int
	looked  int64 // when Send last checked that the peer is alive, in nanoseconds
}

// NewEnds makes a pipe for values of the type that pointer points to, and returns its ends. If
// shared is true, the pipe is for processes.
//
//go:noinline
func NewEnds(pointer any, e call.Elem, shared bool) (one, other End, err error) {
	x, err := New(pointer, e, shared, 0, false)
	if err != nil {
		return one, other, err
	}
	y, err := New(pointer, e, shared, 0, false)
	if err != nil {
		return one, other, err
	}
	one, other = End{In: x, out: y}, End{In: y, out: x, side: 1}
	if shared {
		users, err := shm.New(object.Size)
		if err != nil {
			return one, other, err
		}
		for _, end := range []*End{&one, &other} {
			end.Users = users
			end.In, end.out = end.watched(end.In), end.watched(end.out)
		}
	}
	return one, other, nil
}

// watched returns q for use at this end: its waits end when the peer is dead.
func (c *End) watched(q Untyped) Untyped {
	shared := q.(*sharedQueue)
	w := attachQueue(shared.o, shared.codec)
	users, side := c.Users, c.side
	w.orphaned = func() bool { return peerIsDead(users, side) }
	return w
}

// peerInterval is how often Send checks whether the peer is alive.
const peerInterval = 20 * time.Millisecond

func (c *End) Send(ctx context.Context, v unsafe.Pointer) error {
	if c.out == nil {
		return errNoPipe
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	c.register()
	if c.Users != nil {
		now := time.Now().UnixNano()
		if last := atomic.LoadInt64(&c.looked); now-last > int64(peerInterval) || now < last {
			if peerIsDead(c.Users, c.side) {
				return shm.ErrPeerDied
			}
			atomic.StoreInt64(&c.looked, now)
		}
	}
	return c.out.Put(ctx, v, true)
}

func (c *End) Recv(ctx context.Context, v unsafe.Pointer) error {
	if c.In == nil {
		return errNoPipe
	}
	c.register()
	ok, err := c.In.Get(ctx, v, true)
	if err == nil && !ok {
		err = io.EOF
	}
	return eof(err)
}

func eof(err error) error {
	if failure.Is(err, shm.ErrClosed) {
		return io.EOF
	}
	return err
}

// register records that this process has this end.
func (c *End) register() {
	if c.Users == nil {
		return
	}
	if u := c.Users.U64(64 * c.side); u.Load() != shm.Self().Word() {
		u.Store(shm.Self().Word())
	}
	runtime.KeepAlive(c)
}

// peerIsDead reports whether the process that has the other end is dead.
func peerIsDead(users *shm.Object, side int) bool {
	defer runtime.KeepAlive(users)
	peer := shm.OwnerOf(users.U64(64 * (1 - side)).Load())
	return peer.PID != 0 && !peer.Alive()
}

func (c *End) Close() {
	if c.In != nil {
		c.In.Close()
	}
	c.CloseWrite()
}

func (c *End) CloseWrite() {
	if c.out != nil {
		c.out.Close()
	}
}

var errNoPipe = errors.New("mp: the Conn is a zero value: make it with mp.NewPipe")

func (c *End) Encode() ([]byte, error) {
	if c.In == nil {
		return nil, errNoPipe
	}
	in, ok := c.In.(*sharedQueue)
	if !ok {
		return nil, fmt.Errorf("mp: cannot send an end of this Pipe to another process: %w", shm.ErrLocal)
	}
	var b []byte
	for _, part := range []*shm.Object{in.o, c.out.(*sharedQueue).o, c.Users} {
		h, err := object.Encode(part, "Pipe")
		if err != nil {
			return nil, err
		}
		b = codec.AppendStrings(b, string(h))
	}
	noteSent(c.Users, c.side)
	return append(b, byte(c.side)), nil
}

func (c *End) Open(pointer any, b []byte) error {
	if len(b) == 0 {
		return failure.ErrMalformed
	}
	parts, err := codec.SplitStrings(b[:len(b)-1])
	if err != nil || len(parts) != 3 || b[len(b)-1] > 1 {
		return failure.ErrMalformed
	}
	in, err := Open(pointer, []byte(parts[0]))
	if err != nil {
		return err
	}
	out, err := Open(pointer, []byte(parts[1]))
	if err != nil {
		return err
	}
	if c.Users, err = shm.Open([]byte(parts[2]), 0); err != nil {
		return failure.Wrap("cannot open a Pipe", err)
	}
	c.side = int(b[len(b)-1])
	c.In, c.out = c.watched(in), c.watched(out)
	c.register()
	return nil
}

// A sentEnd is an end of a pipe that is being sent to a child.
type sentEnd struct {
	users *shm.Object
	side  int
}

// sentEnds collects the ends that a goroutine encodes in CollectEnds.
var sentEnds struct {
	mu sync.Mutex
	by map[uintptr]*[]sentEnd // by goroutine
}

// CollectEnds calls f and returns the ends of pipes that f has encoded.
func CollectEnds(f func() error) (ends []sentEnd, err error) {
	g := goroutine.Current()
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
	if ends := sentEnds.by[goroutine.Current()]; ends != nil {
		*ends = append(*ends, sentEnd{users, side})
	}
}

// GiveEnds records that the child with the given pid has the ends. The parent calls it, because
// the child may die before it could record this itself.
func GiveEnds(ends []sentEnd, pid int) {
	if len(ends) == 0 {
		return
	}
	owner := shm.Child(pid).Word()
	for _, e := range ends {
		e.users.U64(64 * e.side).Store(owner)
		runtime.KeepAlive(e.users)
	}
}
