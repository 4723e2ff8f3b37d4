package transport

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// ZMTP 3.0 framing, https://rfc.zeromq.org/spec/23/.
const (
	greetingSize = 64
	flagMore     = 1 << 0
	flagLong     = 1 << 1
	flagCommand  = 1 << 2

	maxHandshakeCommand = 1 << 12
	maxFrames           = 1024
	unbudgetedBytes     = 16 << 10 // per message, without asking the budget
	writeChunk          = 64 << 10
)

var (
	errTooLarge = errors.New("transport: message exceeds the limit")
	errProtocol = errors.New("transport: broken ZMTP framing")
)

// A checkedConn is a connection whose incoming bytes are checked before zmq4 sees
// them: zmq4 allocates whatever size a frame declares, and answers a PING by
// writing into the middle of what another goroutine sends. Outgoing bytes are
// buffered until flush.
//
// Read is called by one goroutine at a time; Write and flush by another.
type checkedConn struct {
	net.Conn
	limits        Limits
	budget        *semaphore.Weighted // shared by all connections
	maxTotal      int                 // bytes in one message
	handshakeDone atomic.Bool         // the handshake is done
	isIdle        atomic.Bool         // nothing was read of the next message

	in           *bufio.Reader
	greetingLeft int    // bytes of the greeting still to come
	head         []byte // of the current frame, still to be handed out
	bodyLeft     uint64 // bytes of the current frame still to come
	hasMore      bool   // the current message goes on
	frames       int    // in the current message
	total        int    // bytes in the current message
	reserved     int64  // of budget, for the current message

	mu       sync.Mutex // guards out: the writer's messages, and pongs
	out      *bufio.Writer
	progress atomic.Int64 // bytes that the peer's side has taken
}

func newCheckedConn(c net.Conn, limits Limits, maxTotal int, budget *semaphore.Weighted) *checkedConn {
	g := &checkedConn{Conn: c, limits: limits, budget: budget, maxTotal: maxTotal, greetingLeft: greetingSize}
	g.in = bufio.NewReaderSize(c, 4096)
	return g
}

// established ends the handshake: from now on writes are buffered and commands
// are the guard's to answer.
func (g *checkedConn) established() {
	g.out = bufio.NewWriterSize(progressWriter{g}, 4096)
	g.handshakeDone.Store(true)
}

func (g *checkedConn) Read(p []byte) (int, error) {
	if g.greetingLeft > 0 {
		n, err := g.in.Read(p[:min(len(p), g.greetingLeft)])
		g.greetingLeft -= n
		return n, err
	}
	for len(g.head) == 0 && g.bodyLeft == 0 {
		if err := g.nextFrame(); err != nil {
			return 0, err
		}
	}
	if len(g.head) > 0 {
		n := copy(p, g.head)
		g.head = g.head[n:]
		return n, nil
	}
	n, err := g.in.Read(p[:min(uint64(len(p)), g.bodyLeft)])
	g.bodyLeft -= uint64(n)
	return n, err
}

// nextFrame reads one frame header and admits it.
func (g *checkedConn) nextFrame() error {
	if !g.hasMore && g.handshakeDone.Load() {
		g.frames, g.total = 0, 0
		g.Conn.SetReadDeadline(time.Time{})
		g.isIdle.Store(g.in.Buffered() == 0)
		_, err := g.in.Peek(1)
		g.isIdle.Store(false)
		if err != nil {
			return err
		}
		g.Conn.SetReadDeadline(time.Now().Add(g.limits.ReceiveTimeout))
	}
	head, size, err := g.readHead()
	if err != nil {
		return err
	}
	if head[0]&^(flagMore|flagLong|flagCommand) != 0 {
		return fmt.Errorf("%w: flags %#x", errProtocol, head[0])
	}
	if head[0]&flagCommand != 0 {
		return g.command(head, size)
	}
	if !g.handshakeDone.Load() {
		return fmt.Errorf("%w: a message before the handshake", errProtocol)
	}
	if err := g.admit(size); err != nil {
		return err
	}
	g.head, g.bodyLeft, g.hasMore = head, size, head[0]&flagMore != 0
	return nil
}

// pending reports whether a message has arrived, in part at least, and was not
// handed on.
func (g *checkedConn) pending() bool { return unread(g.Conn) || !g.isIdle.Load() }

func (g *checkedConn) readHead() ([]byte, uint64, error) {
	head := make([]byte, 2, 9)
	if _, err := io.ReadFull(g.in, head); err != nil {
		return nil, 0, err
	}
	if head[0]&flagLong == 0 {
		return head, uint64(head[1]), nil
	}
	head = head[:9]
	if _, err := io.ReadFull(g.in, head[2:]); err != nil {
		return nil, 0, err
	}
	return head, binary.BigEndian.Uint64(head[1:]), nil
}

// admit counts a frame against the limits and reserves its memory.
func (g *checkedConn) admit(size uint64) error {
	g.frames++
	if g.frames > maxFrames || size > uint64(g.maxTotal) || g.total+int(size) > g.maxTotal {
		return fmt.Errorf("%w of %d bytes", errTooLarge, g.maxTotal)
	}
	g.total += int(size)
	if g.total <= unbudgetedBytes {
		return nil
	}
	allowed := g.limits.ReceiveTimeout + time.Duration(g.total)*time.Second/(1<<20)
	g.Conn.SetReadDeadline(time.Now().Add(allowed))
	ctx, cancel := context.WithTimeout(context.Background(), g.limits.ReceiveTimeout)
	defer cancel()
	if err := g.budget.Acquire(ctx, int64(size)); err != nil {
		return errors.New("transport: too much is being received at once")
	}
	g.reserved += int64(size)
	return nil
}

// release gives back what the current message reserved. The reader calls it
// once the message is somebody else's, or when the connection ends.
func (g *checkedConn) release() {
	g.budget.Release(g.reserved)
	g.reserved = 0
}

// command lets handshake commands through and answers later ones itself.
func (g *checkedConn) command(head []byte, size uint64) error {
	if size > maxHandshakeCommand || head[0]&flagMore != 0 || g.hasMore {
		return fmt.Errorf("%w: a command of %d bytes", errProtocol, size)
	}
	if !g.handshakeDone.Load() {
		g.head, g.bodyLeft = head, size
		return nil
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(g.in, body); err != nil {
		return err
	}
	const ping, pingPrefix = "\x04PING", 2 // PING is followed by a 16-bit time to live
	if len(body) < len(ping)+pingPrefix || string(body[:len(ping)]) != ping {
		return nil
	}
	return g.pong(body[len(ping)+pingPrefix:])
}

// pong answers a PING with its context, of at most 16 bytes by the protocol.
func (g *checkedConn) pong(context []byte) error {
	if len(context) > 16 {
		return fmt.Errorf("%w: a PING context of %d bytes", errProtocol, len(context))
	}
	body := append([]byte("\x04PONG"), context...)
	return g.send(func() error {
		_, err := g.out.Write(append([]byte{flagCommand, byte(len(body))}, body...))
		return err
	}, true)
}

// send runs write, which writes one whole message or command, undisturbed.
func (g *checkedConn) send(write func() error, flush bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := write(); err != nil {
		return err
	}
	if flush {
		return g.out.Flush()
	}
	return nil
}

// Write is called by zmq4: in the handshake, and within send.
func (g *checkedConn) Write(p []byte) (int, error) {
	if g.handshakeDone.Load() {
		return g.out.Write(p)
	}
	return g.Conn.Write(p)
}

// A progressWriter writes to the connection in chunks, so that progress is seen.
type progressWriter struct{ g *checkedConn }

func (c progressWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n, err := c.g.Conn.Write(p[:min(len(p), writeChunk)])
		written += n
		c.g.progress.Add(int64(n))
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}
