package transport

import (
	"context"
	"testing"

	"github.com/go-zeromq/zmq4"
)

// TestPending: a packet is pending from its arrival, even before Recv is called, until the
// caller of Recv calls it again.
func TestPending(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	z := k.peerOf(k.connection.ShellPort, zmq4.Dealer, "a")
	k.ask(z, "connected")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	take := func(ctx context.Context) {
		if p, err := k.Shell().Recv(ctx); ctx.Err() == nil && (err != nil || len(p.Frames) != 1) {
			t.Errorf("received %q, %v", p.Frames, err)
		}
	}
	take(ended)
	eventually(t, "nothing to be pending", func() bool { return !k.Shell().Pending() })
	for range 3 {
		if err := z.SendMsg(zmq4.NewMsgString("request")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "requests to be pending", k.Shell().Pending)
	for range 3 {
		take(t.Context())
		if !k.Shell().Pending() {
			t.Error("what was received is taken in before Recv is called again")
		}
	}
	take(ended)
	eventually(t, "all to be taken in", func() bool { return !k.Shell().Pending() })
	if k.Control().Pending() {
		t.Error("something is pending at a socket to which nothing was sent")
	}
}

// TestPendingInMemory tests the same as TestPending, for a Memory, where Send waits for Recv.
func TestPendingInMemory(t *testing.T) {
	m := NewMemory(greeter{})
	p := m.Connect("a")
	if m.Shell().Pending() {
		t.Error("pending before anything was sent")
	}
	sent := make(chan error)
	go func() { sent <- p.Shell.Send([][]byte{[]byte("request")}) }()
	eventually(t, "a request to be pending", m.Shell().Pending)
	if _, err := m.Shell().Recv(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil || !m.Shell().Pending() {
		t.Errorf("what was received is not pending: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Shell().Recv(ended); err == nil || m.Shell().Pending() {
		t.Errorf("pending after Recv was called again: %v", err)
	}
}
