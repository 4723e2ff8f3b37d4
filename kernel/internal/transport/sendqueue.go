package transport

import (
	"sync"
	"sync/atomic"

	"github.com/go-zeromq/zmq4"
)

// A message is queued for one or more peers.
type message struct {
	frames  [][]byte
	size    int
	users   atomic.Int32 // number of queues that have it, plus 1 until the publisher is done
	release func()       // called when users is zero; may be nil
}

// newMessage returns a message with one user, its publisher.
func newMessage(frames [][]byte) *message {
	m := &message{frames: frames, size: size(frames)}
	m.users.Store(1)
	return m
}

// done ends the use of m by one of its users.
func (m *message) done() {
	if m.users.Add(-1) == 0 && m.release != nil {
		m.release()
	}
}

// A sendQueue holds the messages that are to be written to one peer. Messages are
// shared between peers and must not be changed.
type sendQueue struct {
	mu       sync.Mutex // guards the fields below
	notEmpty *sync.Cond // signals that the queue has a message or was closed
	queue    []*message
	bytes    int // size of the queue and of the message that is being written
	closed   bool

	onWritten func() // called after each written message, if set
}

func (o *sendQueue) init() { o.notEmpty = sync.NewCond(&o.mu) }

// put queues a message and wakes the writer. It returns false if the queue is closed.
func (o *sendQueue) put(m *message) bool {
	if !o.add(m) {
		return false
	}
	o.wake()
	return true
}

// wake makes the writer write the queued messages.
func (o *sendQueue) wake() { o.notEmpty.Signal() }

// add queues a message. It returns false if the queue is closed.
func (o *sendQueue) add(m *message) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	m.users.Add(1)
	o.queue = append(o.queue, m)
	o.bytes += m.size
	return true
}

func (o *sendQueue) backlog() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}

func (o *sendQueue) empty() bool { return o.backlog() == 0 }

func (o *sendQueue) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for _, m := range o.queue {
		m.done()
	}
	o.queue, o.bytes = nil, 0
	o.notEmpty.Broadcast()
}

// next waits for a message. last reports whether no other message is queued. ok is false if the queue is closed.
func (o *sendQueue) next() (m *message, last, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed {
		o.notEmpty.Wait()
	}
	if o.closed {
		return nil, false, false
	}
	m = o.queue[0]
	o.queue[0] = nil
	o.queue = o.queue[1:]
	return m, len(o.queue) == 0, true
}

// done records that a message was written.
func (o *sendQueue) done(m *message) {
	m.done()
	o.mu.Lock()
	if !o.closed {
		o.bytes -= m.size
	}
	taken := o.onWritten
	o.mu.Unlock()
	if taken != nil {
		taken()
	}
}

// writeLoop sends queued messages until the peer is dropped or a write fails.
func (p *peer) writeLoop() {
	for {
		m, last, ok := p.out.next()
		if !ok {
			return
		}
		err := p.send(func() error { return p.conn.SendMsg(zmq4.NewMsgFrom(m.frames...)) }, last)
		p.out.done(m)
		if err != nil {
			p.drop(err.Error())
			return
		}
	}
}
