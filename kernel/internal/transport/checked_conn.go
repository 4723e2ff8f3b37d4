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
	unbudgetedBytes     = 16 << 10 // bytes of each message that do not count against the budget
	writeChunk          = 128 << 10
)

var (
	errTooLarge = errors.New("transport: a message exceeds the limit")
	errProtocol = errors.New("transport: a peer violates the ZMTP protocol")
)

// A checkedConn is a connection whose incoming bytes are checked before zmq4 sees
// them: zmq4 allocates whatever size a frame declares, and answers a PING by writing into the middle of the data that
// another goroutine sends. Outgoing bytes are buffered until flush.
//
// One goroutine at a time may call Read, and another one Write and flush.
type checkedConn struct {
	net.Conn
	limits        Limits
	budget        *semaphore.Weighted // shared by all connections
	maxTotal      int                 // bytes in one message
	handshakeDone atomic.Bool
	isIdle        atomic.Bool // nothing of the next message has been read

	in           *bufio.Reader
	greetingLeft int    // bytes
	head         []byte // the bytes of the current frame's header that zmq4 has not read yet
	bodyLeft     uint64 // bytes of the current frame
	hasMore      bool   // another frame of the current message follows
	frames       int    // number of frames in the current message
	total        int    // bytes in the current message
	reserved     int64  // bytes of the budget that are reserved for the current message

	mu       sync.Mutex // guards out: the writer's messages, and pongs
	out      *bufio.Writer
	progress atomic.Int64 // bytes written to the connection
}

func newCheckedConn(conn net.Conn, limits Limits, maxTotal int, budget *semaphore.Weighted) *checkedConn {
	c := &checkedConn{Conn: conn, limits: limits, budget: budget, maxTotal: maxTotal, greetingLeft: greetingSize}
	c.in = bufio.NewReaderSize(conn, 4096)
	return c
}

// established is called after the handshake. From then on writes are buffered, and
// the connection answers commands.
func (c *checkedConn) established() {
	c.out = bufio.NewWriterSize(progressWriter{c}, 4096)
	c.handshakeDone.Store(true)
}

func (c *checkedConn) Read(p []byte) (int, error) {
	if c.greetingLeft > 0 {
		n, err := c.in.Read(p[:min(len(p), c.greetingLeft)])
		c.greetingLeft -= n
		return n, err
	}
	for len(c.head) == 0 && c.bodyLeft == 0 {
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	n, err := c.in.Read(p[:min(uint64(len(p)), c.bodyLeft)])
	c.bodyLeft -= uint64(n)
	return n, err
}

// nextFrame reads the header of the next frame and checks it.
func (c *checkedConn) nextFrame() error {
	if !c.hasMore && c.handshakeDone.Load() {
		c.frames, c.total = 0, 0
		c.Conn.SetReadDeadline(time.Time{})
		c.isIdle.Store(c.in.Buffered() == 0)
		_, err := c.in.Peek(1)
		c.isIdle.Store(false)
		if err != nil {
			return err
		}
		c.Conn.SetReadDeadline(time.Now().Add(c.limits.ReceiveTimeout))
	}
	head, size, err := c.readHead()
	if err != nil {
		return err
	}
	if head[0]&^(flagMore|flagLong|flagCommand) != 0 {
		return fmt.Errorf("%w: a frame has the invalid flags %#x", errProtocol, head[0])
	}
	if head[0]&flagCommand != 0 {
		return c.command(head, size)
	}
	if !c.handshakeDone.Load() {
		return fmt.Errorf("%w: a message arrived before the handshake", errProtocol)
	}
	if err := c.admit(size); err != nil {
		return err
	}
	c.head, c.bodyLeft, c.hasMore = head, size, head[0]&flagMore != 0
	return nil
}

// pending reports whether a message has arrived, at least in part, that zmq4 has not read.
func (c *checkedConn) pending() bool { return unread(c.Conn) || !c.isIdle.Load() }

func (c *checkedConn) readHead() ([]byte, uint64, error) {
	head := make([]byte, 2, 9)
	if _, err := io.ReadFull(c.in, head); err != nil {
		return nil, 0, err
	}
	if head[0]&flagLong == 0 {
		return head, uint64(head[1]), nil
	}
	head = head[:9]
	if _, err := io.ReadFull(c.in, head[2:]); err != nil {
		return nil, 0, err
	}
	return head, binary.BigEndian.Uint64(head[1:]), nil
}

// admit counts a frame against the limits and reserves its memory.
func (c *checkedConn) admit(size uint64) error {
	c.frames++
	switch {
	case c.frames > maxFrames:
		return fmt.Errorf("%w of %d frames", errTooLarge, maxFrames)
	case size > uint64(c.maxTotal) || c.total+int(size) > c.maxTotal:
		return fmt.Errorf("%w of %d bytes", errTooLarge, c.maxTotal)
	}
	c.total += int(size)
	if c.total <= unbudgetedBytes {
		return nil
	}
	allowed := c.limits.ReceiveTimeout + time.Duration(c.total)*time.Second/(1<<20)
	c.Conn.SetReadDeadline(time.Now().Add(allowed))
	ctx, cancel := context.WithTimeout(context.Background(), c.limits.ReceiveTimeout)
	defer cancel()
	if err := c.budget.Acquire(ctx, int64(size)); err != nil {
		return errors.New("transport: cannot receive a message: the messages that are being received take all the memory that the limit allows")
	}
	c.reserved += int64(size)
	return nil
}

// release returns the memory that the current message has reserved to the budget. The goroutine that reads calls
// release when it has passed the message on, and when the connection ends.
func (c *checkedConn) release() {
	c.budget.Release(c.reserved)
	c.reserved = 0
}

// command passes the commands of the handshake to zmq4, and answers later ones.
func (c *checkedConn) command(head []byte, size uint64) error {
	if size > maxHandshakeCommand || head[0]&flagMore != 0 || c.hasMore {
		return fmt.Errorf("%w: a command of %d bytes is too large or part of a message", errProtocol, size)
	}
	if !c.handshakeDone.Load() {
		c.head, c.bodyLeft = head, size
		return nil
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(c.in, body); err != nil {
		return err
	}
	const ping, pingPrefix = "\x04PING", 2 // PING is followed by a 16-bit time to live
	if len(body) < len(ping)+pingPrefix || string(body[:len(ping)]) != ping {
		return nil
	}
	return c.pong(body[len(ping)+pingPrefix:])
}

// pong answers a PING with its context, of at most 16 bytes by the protocol.
func (c *checkedConn) pong(context []byte) error {
	if len(context) > 16 {
		return fmt.Errorf("%w: a PING has a context of %d bytes, more than the limit of 16", errProtocol, len(context))
	}
	body := append([]byte("\x04PONG"), context...)
	return c.send(func() error {
		_, err := c.out.Write(append([]byte{flagCommand, byte(len(body))}, body...))
		return err
	}, true)
}

// send calls write, which writes one message or command. It makes sure that no other is written at the same time.
func (c *checkedConn) send(write func() error, flush bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := write(); err != nil {
		return err
	}
	if flush {
		return c.out.Flush()
	}
	return nil
}

// Write implements io.Writer. Package zmq4 calls it, in the handshake and within send.
func (c *checkedConn) Write(p []byte) (int, error) {
	if c.handshakeDone.Load() {
		return c.out.Write(p)
	}
	return c.Conn.Write(p)
}

// A progressWriter writes to the connection in chunks, and counts the written bytes.
type progressWriter struct{ conn *checkedConn }

func (w progressWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n, err := w.conn.Conn.Write(p[:min(len(p), writeChunk)])
		written += n
		w.conn.progress.Add(int64(n))
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}
