// Package transport carries frames between a kernel and its front ends: the
// five sockets of the Jupyter protocol behind one interface, over ZeroMQ's
// wire protocol (Listen) or in memory for tests (NewMemory).
//
// Peers are not trusted: Limits bounds the memory that a peer can occupy and the
// time for which it can delay other peers.
package transport

import (
	"context"
	"errors"
	"time"
)

// ErrClosed is the error of operations on a closed transport.
var ErrClosed = errors.New("transport: the kernel's sockets are closed")

// ErrNoPeer is the error of Send when no peer with the identity is connected.
var ErrNoPeer = errors.New("transport: no peer with the given identity is connected")

// A Packet is one message, with the peer from which it comes or to which it goes.
type Packet struct {
	Identity string
	Frames   [][]byte
	Received time.Time // time at which the packet arrived; unused in Send
}

// A Router is one of the shell, control and stdin sockets.
type Router interface {
	// Recv returns the next packet of any peer. Only one goroutine may call it at a time.
	Recv(ctx context.Context) (Packet, error)
	// Pending reports whether packets have arrived, completely or in part, that the caller of Recv has not handled. The
	// caller has handled a packet when it calls Recv again.
	Pending() bool
	// Send queues a packet for its Identity and never blocks. A peer that
	// does not read is disconnected once too much is queued for it.
	Send(Packet) error
}

// A Publisher sends messages on the iopub socket.
type Publisher interface {
	// Publish sends frames to every peer that has subscribed to a prefix of the first frame. It blocks while a
	// subscriber has too many bytes to read, at most as long as Limits allows. Messages of one caller stay in order.
	Publish(frames [][]byte) error
	// PublishReusable does what Publish does, for frames whose memory the caller wants to use again. It calls release
	// when no peer needs the frames any more, or never calls it.
	PublishReusable(frames [][]byte, release func()) error
	// PublishNow does what Publish does, but does not block. It is for small messages such as a status.
	PublishNow(frames [][]byte) error
	// Hold delays the sending of further messages until release is called, so that they are sent together. If Publish
	// waits for a subscriber, the messages are sent despite Hold.
	Hold() (release func())
}

// A Transport is the set of sockets that a kernel serves. Implementations answer
// heartbeats themselves.
type Transport interface {
	Shell() Router
	Control() Router
	Stdin() Router
	IOPub() Publisher
	// Drain waits until all queued messages are sent, or until ctx ends.
	Drain(ctx context.Context)
	Close() error
}

// A Greeter provides the first messages for new subscribers of iopub.
type Greeter interface {
	// Welcome returns the iopub_welcome message for a new subscription (JEP 65),
	// or nil for none. It must not publish.
	Welcome(topic string) [][]byte
	// Subscribed is called when the subscription is in effect. send sends a message to that subscriber alone, if the
	// subscriber has subscribed to the topic of the message.
	Subscribed(send func(frames [][]byte))
}

// Limits bounds the resources that peers can use. Sizes are in bytes.
type Limits struct {
	Connections      int           // connections per socket; a further connection closes the oldest one that is not active
	HandshakeTimeout time.Duration // time from accept to the end of the ZMTP handshake
	Message          int           // size of one incoming message on shell or control
	Incoming         int           // size of all messages that are being received, together
	ReceiveTimeout   time.Duration // time in which a message that has begun must be complete, plus 1 s per MB

	Replies int // bytes that are queued for one peer of shell, control or stdin

	// Backlog is the number of unread bytes of an iopub subscriber from which on Publish waits for the subscriber.
	// PublishNow may queue as many bytes in addition.
	Backlog int
	// StallTimeout is how long Publish waits for a subscriber that reads nothing. Then Publish disconnects the
	// subscriber.
	StallTimeout time.Duration
	// LagRate is the number of bytes per second that a subscriber must read while Publish waits for it and another
	// subscriber is ready. A subscriber that falls behind this rate by LagTimeout is disconnected.
	LagRate    int
	LagTimeout time.Duration
}

// DefaultLimits returns limits that suit a kernel with a few front ends on a shared machine.
func DefaultLimits() Limits {
	return Limits{
		Connections:      512,
		HandshakeTimeout: 5 * time.Second,
		Message:          64 << 20,
		Incoming:         128 << 20,
		ReceiveTimeout:   30 * time.Second,
		Replies:          32 << 20,
		Backlog:          16 << 20,
		StallTimeout:     30 * time.Second,
		LagRate:          1 << 20,
		LagTimeout:       5 * time.Second,
	}
}

func size(frames [][]byte) int {
	const perFrame = 48 // slice header and allocation overhead
	n := 0
	for _, f := range frames {
		n += len(f) + perFrame
	}
	return n
}
