package transport

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"
)

// A router is a ROUTER socket over its own listener.
type router struct {
	limits Limits
	log    *slog.Logger
	in     chan Packet // unbuffered
	done   <-chan struct{}
	arrivals

	mu    sync.Mutex // guards peers
	peers map[string]*peer
}

func newRouter(limits Limits, log *slog.Logger, done <-chan struct{}) *router {
	return &router{limits: limits, log: log, in: make(chan Packet), done: done, peers: make(map[string]*peer)}
}

// serve passes the messages of p to Recv. A peer replaces an older peer with the same identity: front ends reconnect
// with their old identity, often before the kernel knows that the old connection is closed.
func (r *router) serve(p *peer) error {
	id := p.identity()
	if id == "" {
		id = "\x00" + rand.Text()
	}
	r.mu.Lock()
	old := r.peers[id]
	r.peers[id] = p
	r.mu.Unlock()
	if old != nil {
		old.drop("a new connection has its identity")
	}
	defer r.remove(id, p)
	for {
		frames, err := p.recv()
		if err != nil {
			return err
		}
		r.arrive()
		select {
		case r.in <- Packet{Identity: id, Frames: frames, Received: time.Now()}:
			p.release()
		case <-r.done:
			return ErrClosed
		}
	}
}

func (r *router) remove(id string, p *peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peers[id] == p {
		delete(r.peers, id)
	}
}

func (r *router) Recv(ctx context.Context) (Packet, error) {
	r.next()
	select {
	case p := <-r.in:
		r.hold()
		return p, nil
	case <-r.done:
		return Packet{}, ErrClosed
	case <-ctx.Done():
		return Packet{}, ctx.Err()
	}
}

func (r *router) Pending() bool {
	if r.pending() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.peers {
		if p.pending() {
			return true
		}
	}
	return r.pending() // checks r.in again: a packet may have moved there from a peer
}

// Send queues a packet and marks its peer as active, since the kernel sends only to peers whose requests have a valid
// signature.
func (r *router) Send(pkt Packet) error {
	r.mu.Lock()
	p := r.peers[pkt.Identity]
	r.mu.Unlock()
	if p == nil {
		return ErrNoPeer
	}
	p.isActive.Store(true)
	if p.out.backlog() > r.limits.Replies {
		r.log.Warn("disconnected a front end that does not read its replies", "bytes", p.out.backlog())
		p.drop("does not read its replies")
		return ErrNoPeer
	}
	if !p.out.put(newMessage(pkt.Frames)) {
		return ErrNoPeer
	}
	return nil
}
