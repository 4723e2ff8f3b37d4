package transport

import (
	"sync"

	"github.com/go-zeromq/zmq4"
)

// A sendQueue holds the messages that are to be written to one peer. Messages are
// shared between peers and must not be changed.
type sendQueue struct {
	mu       sync.Mutex // guards what follows
	notEmpty *sync.Cond // or closed
	queue    [][][]byte
	bytes    int // of the queue and of the message being written
	closed   bool

	onWritten func() // called after each written message, if set
}

func (o *sendQueue) init() { o.notEmpty = sync.NewCond(&o.mu) }

// put queues a message. It reports false if the queue is closed.
func (o *sendQueue) put(frames [][]byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.queue = append(o.queue, frames)
	o.bytes += size(frames)
	o.notEmpty.Signal()
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
	o.queue, o.bytes = nil, 0
	o.notEmpty.Broadcast()
}

// next waits for a message. last reports whether no other is queued; ok is false
// when the queue is closed.
func (o *sendQueue) next() (frames [][]byte, last, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed {
		o.notEmpty.Wait()
	}
	if o.closed {
		return nil, false, false
	}
	frames = o.queue[0]
	o.queue[0] = nil
	o.queue = o.queue[1:]
	return frames, len(o.queue) == 0, true
}

// done records that a message was written.
func (o *sendQueue) done(frames [][]byte) {
	o.mu.Lock()
	if !o.closed {
		o.bytes -= size(frames)
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
		frames, last, ok := p.out.next()
		if !ok {
			return
		}
		err := p.send(func() error { return p.conn.SendMsg(zmq4.NewMsgFrom(frames...)) }, last)
		p.out.done(frames)
		if err != nil {
			p.drop(err.Error())
			return
		}
	}
}
