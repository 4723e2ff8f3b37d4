package transport

import (
	"context"
	"sync"
	"time"
)

// Memory is a Transport without sockets, for tests. Front ends join with Connect.
// Its queues have no limit, so it neither drops messages nor waits for a peer.
type Memory struct {
	done      chan struct{}
	closeOnce sync.Once
	greeter   Greeter

	shell, control, stdin *memoryRouter

	mu    sync.Mutex // guards peers
	peers map[string]*MemoryPeer
}

var _ Transport = (*Memory)(nil)

// NewMemory returns a Memory. greeter provides the first messages for new peers.
func NewMemory(greeter Greeter) *Memory {
	m := &Memory{done: make(chan struct{}), greeter: greeter, peers: make(map[string]*MemoryPeer)}
	router := func(pick func(*MemoryPeer) *Mailbox) *memoryRouter {
		return &memoryRouter{m: m, in: make(chan Packet), pick: pick}
	}
	m.shell = router(func(p *MemoryPeer) *Mailbox { return p.Shell })
	m.control = router(func(p *MemoryPeer) *Mailbox { return p.Control })
	m.stdin = router(func(p *MemoryPeer) *Mailbox { return p.Stdin })
	return m
}

func (m *Memory) Shell() Router         { return m.shell }
func (m *Memory) Control() Router       { return m.control }
func (m *Memory) Stdin() Router         { return m.stdin }
func (m *Memory) IOPub() Publisher      { return memoryPublisher{m} }
func (m *Memory) Drain(context.Context) {}

func (m *Memory) Close() error {
	m.closeOnce.Do(func() { close(m.done) })
	return nil
}

// A MemoryPeer is one front end of a Memory.
type MemoryPeer struct {
	Shell, Control, Stdin, IOPub *Mailbox
}

// Connect adds a front end with an identity. The front end is subscribed to all of iopub.
func (m *Memory) Connect(identity string) *MemoryPeer {
	box := func(r *memoryRouter) *Mailbox {
		b := &Mailbox{identity: identity, done: m.done, arrived: make(chan struct{}, 1)}
		if r != nil {
			b.out, b.arrive = r.in, r.arrive
		}
		return b
	}
	p := &MemoryPeer{Shell: box(m.shell), Control: box(m.control), Stdin: box(m.stdin), IOPub: box(nil)}
	m.mu.Lock()
	m.peers[identity] = p
	p.IOPub.deliver(m.greeter.Welcome(""))
	m.mu.Unlock()
	m.greeter.Subscribed(p.IOPub.deliver)
	return p
}

// A Mailbox is a front end's side of one socket.
type Mailbox struct {
	identity string
	out      chan<- Packet // nil for iopub
	arrive   func()        // counts a sent packet
	done     <-chan struct{}
	arrived  chan struct{} // signals that queue grew

	mu    sync.Mutex // guards queue
	queue [][][]byte
}

func (b *Mailbox) deliver(frames [][]byte) {
	b.mu.Lock()
	b.queue = append(b.queue, frames)
	b.mu.Unlock()
	select {
	case b.arrived <- struct{}{}:
	default:
	}
}

func (b *Mailbox) take() ([][]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return nil, false
	}
	frames := b.queue[0]
	b.queue = b.queue[1:]
	return frames, true
}

// Send sends frames to the kernel. It blocks until the kernel reads them.
func (b *Mailbox) Send(frames [][]byte) error {
	b.arrive()
	select {
	case b.out <- Packet{Identity: b.identity, Frames: frames, Received: time.Now()}:
		return nil
	case <-b.done:
		return ErrClosed
	}
}

// Recv returns the next frames from the kernel. One goroutine may call it at a time.
func (b *Mailbox) Recv(ctx context.Context) ([][]byte, error) {
	for {
		if frames, ok := b.take(); ok {
			return frames, nil
		}
		select {
		case <-b.arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type memoryRouter struct {
	m    *Memory
	in   chan Packet
	pick func(*MemoryPeer) *Mailbox
	arrivals
}

func (r *memoryRouter) Pending() bool { return r.pending() }

func (r *memoryRouter) Recv(ctx context.Context) (Packet, error) {
	r.next()
	select {
	case p := <-r.in:
		r.hold()
		return p, nil
	case <-r.m.done:
		return Packet{}, ErrClosed
	case <-ctx.Done():
		return Packet{}, ctx.Err()
	}
}

func (r *memoryRouter) Send(pkt Packet) error {
	r.m.mu.Lock()
	p := r.m.peers[pkt.Identity]
	r.m.mu.Unlock()
	if p == nil {
		return ErrNoPeer
	}
	r.pick(p).deliver(pkt.Frames)
	return nil
}

type memoryPublisher struct{ m *Memory }

func (b memoryPublisher) PublishNow(frames [][]byte) error { return b.Publish(frames) }

// Hold does nothing.
func (memoryPublisher) Hold() (release func()) { return func() {} }

// PublishReusable does what Publish does. It never calls release, since a Mailbox may keep the frames.
func (b memoryPublisher) PublishReusable(frames [][]byte, _ func()) error { return b.Publish(frames) }

func (b memoryPublisher) Publish(frames [][]byte) error {
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	for _, p := range b.m.peers {
		p.IOPub.deliver(frames)
	}
	return nil
}
