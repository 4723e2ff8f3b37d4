package transport

import (
	"sync"

	"github.com/go-zeromq/zmq4"
)

// An outbox holds the messages that wait for one peer's writer. Messages are
// shared between peers and never changed.
type outbox struct {
	mu     sync.Mutex // guards what follows
	wake   *sync.Cond // something was queued, or closed
	queue  [][][]byte
	bytes  int // of the queue and of the message being written
	closed bool

	taken func() // called, if set, after each message written
}

func (o *outbox) init() { o.wake = sync.NewCond(&o.mu) }

// put queues a message; it fails when the box is closed.
func (o *outbox) put(frames [][]byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.queue = append(o.queue, frames)
	o.bytes += size(frames)
	o.wake.Signal()
	return true
}

func (o *outbox) backlog() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}

func (o *outbox) empty() bool { return o.backlog() == 0 }

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.queue, o.bytes = nil, 0
	o.wake.Broadcast()
}

// next waits for a message; last reports that no other waits behind it.
func (o *outbox) next() (frames [][]byte, last, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed {
		o.wake.Wait()
	}
	if o.closed {
		return nil, false, false
	}
	frames = o.queue[0]
	o.queue[0] = nil
	o.queue = o.queue[1:]
	return frames, len(o.queue) == 0, true
}

// done accounts for a message that was written.
func (o *outbox) done(frames [][]byte) {
	o.mu.Lock()
	if !o.closed {
		o.bytes -= size(frames)
	}
	taken := o.taken
	o.mu.Unlock()
	if taken != nil {
		taken()
	}
}

// writeLoop sends what is queued until the peer is dropped or fails.
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
