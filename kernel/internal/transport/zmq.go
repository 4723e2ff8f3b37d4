package transport

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"golang.org/x/sync/semaphore"
)

// ZMQ is the transport over ZeroMQ's wire protocol. Package zmq4 does the handshake and the framing. This package
// listens, and handles queues and identities.
type ZMQ struct {
	connection Connection
	limits     Limits
	log        *slog.Logger
	budget     *semaphore.Weighted

	done      chan struct{}
	closeOnce sync.Once
	listeners []*listener

	shell, control, stdin *router
	iopub                 *publisher
}

var _ Transport = (*ZMQ)(nil)

// Listen opens the five sockets that a connection file describes. If a port is zero, the system chooses a port, which
// Connection returns.
func Listen(c Connection, limits Limits, greeter Greeter, log *slog.Logger) (*ZMQ, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	t := &ZMQ{
		connection: c, limits: limits, log: log,
		budget: semaphore.NewWeighted(int64(limits.Incoming)),
		done:   make(chan struct{}),
	}
	t.shell = newRouter(limits, log.With("socket", "shell"), t.done)
	t.control = newRouter(limits, log.With("socket", "control"), t.done)
	t.stdin = newRouter(limits, log.With("socket", "stdin"), t.done)
	t.iopub = newPublisher(limits, greeter, log.With("socket", "iopub"), t.done)
	if err := t.listenAll(); err != nil {
		t.Close()
		return nil, err
	}
	for _, l := range t.listeners {
		l.start()
	}
	return t, nil
}

func (t *ZMQ) listenAll() error {
	c := &t.connection
	sockets := []struct {
		name     string
		port     *int
		kind     zmq4.SocketType
		maxTotal int
		serve    func(*peer) error
	}{
		{"shell", &c.ShellPort, zmq4.Router, t.limits.Message, t.shell.serve},
		{"control", &c.ControlPort, zmq4.Router, t.limits.Message, t.control.serve},
		{"stdin", &c.StdinPort, zmq4.Router, min(t.limits.Message, 4<<20), t.stdin.serve},
		{"iopub", &c.IOPubPort, zmq4.XPub, maxSubscription, t.iopub.serve},
		{"heartbeat", &c.HBPort, zmq4.Rep, maxHeartbeat, t.echo},
	}
	for _, s := range sockets {
		ln, err := listen(c.address(*s.port))
		if err != nil {
			return fmt.Errorf("transport: cannot open the %s socket: %w", s.name, err)
		}
		if a, ok := ln.Addr().(*net.TCPAddr); ok {
			*s.port = a.Port
		}
		t.listeners = append(t.listeners, &listener{
			Listener: ln, kind: s.kind, limits: t.limits, maxTotal: s.maxTotal,
			budget: t.budget, log: t.log.With("socket", s.name), serve: s.serve,
		})
	}
	return nil
}

const maxHeartbeat = 4 << 10

// echo answers heartbeats. Nothing else in the kernel delays it.
func (t *ZMQ) echo(p *peer) error {
	for {
		frames, err := p.recv()
		if err != nil {
			return err
		}
		p.release()
		if p.out.backlog() > 16*maxHeartbeat {
			return fmt.Errorf("transport: a client of the heartbeat socket does not read the replies")
		}
		p.out.put(newMessage(frames))
	}
}

// Connection returns the connection that is served, with the ports in use.
func (t *ZMQ) Connection() Connection { return t.connection }

func (t *ZMQ) Shell() Router    { return t.shell }
func (t *ZMQ) Control() Router  { return t.control }
func (t *ZMQ) Stdin() Router    { return t.stdin }
func (t *ZMQ) IOPub() Publisher { return t.iopub }

func (t *ZMQ) Drain(ctx context.Context) {
	for ctx.Err() == nil {
		drained := true
		for _, l := range t.listeners {
			drained = drained && l.drained()
		}
		if drained {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Close closes all connections and waits for their goroutines.
func (t *ZMQ) Close() error {
	t.closeOnce.Do(func() {
		close(t.done)
		for _, l := range t.listeners {
			if l.peers == nil { // it was never started
				l.Listener.Close()
				continue
			}
			l.close()
		}
	})
	return nil
}
