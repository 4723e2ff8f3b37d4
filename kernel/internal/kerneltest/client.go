package kerneltest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// Names of the channels, as Jupyter spells them.
const (
	Shell   = "shell"
	Control = "control"
	Stdin   = "stdin"
	IOPub   = "iopub"
)

// A socket is a front end's side of one channel.
type socket interface {
	Send(frames [][]byte) error
	Recv(ctx context.Context) ([][]byte, error)
}

// A Client acts as a front end.
type Client struct {
	Session string
	signer  *wire.Signer // for sending
	checks  *wire.Signer // for received messages
	sockets map[string]socket
	serial  atomic.Int64
	close   func()
}

func newClient(key string, close func()) (*Client, error) {
	c := &Client{Session: rand.Text(), sockets: make(map[string]socket), close: close}
	var err error
	if c.signer, err = wire.NewSigner("hmac-sha256", key); err != nil {
		return nil, err
	}
	c.checks, err = wire.NewSigner("hmac-sha256", key)
	return c, err
}

// Join connects a front end to an in-memory transport.
func Join(m *transport.Memory, key string) (*Client, error) {
	c, err := newClient(key, func() {})
	if err != nil {
		return nil, err
	}
	p := m.Connect(c.Session)
	c.sockets = map[string]socket{Shell: p.Shell, Control: p.Control, Stdin: p.Stdin, IOPub: p.IOPub}
	return c, nil
}

// Dial connects a front end to a kernel over sockets of package zmq4.
func Dial(conn transport.Connection) (*Client, error) {
	ctx, cancel := context.WithCancel(context.Background())
	c, err := newClient(conn.Key, cancel)
	if err != nil {
		cancel()
		return nil, err
	}
	id := zmq4.WithID(zmq4.SocketIdentity(c.Session))
	sockets := []struct {
		name string
		port int
		s    zmq4.Socket
	}{
		{Shell, conn.ShellPort, zmq4.NewDealer(ctx, id)},
		{Control, conn.ControlPort, zmq4.NewDealer(ctx, id)},
		{Stdin, conn.StdinPort, zmq4.NewDealer(ctx, id)},
		{IOPub, conn.IOPubPort, zmq4.NewSub(ctx)},
	}
	for _, s := range sockets {
		if s.name == IOPub {
			if err := s.s.SetOption(zmq4.OptionSubscribe, ""); err != nil {
				cancel()
				return nil, err
			}
		}
		if err := s.s.Dial(conn.Endpoint(s.port)); err != nil {
			cancel()
			return nil, err
		}
		c.sockets[s.name] = zmqSocket{s.s}
	}
	c.close = func() {
		for _, s := range sockets {
			s.s.Close()
		}
		cancel()
	}
	return c, nil
}

type zmqSocket struct{ zmq4.Socket }

func (s zmqSocket) Send(frames [][]byte) error { return s.Socket.SendMulti(zmq4.NewMsgFrom(frames...)) }

func (s zmqSocket) Recv(ctx context.Context) ([][]byte, error) {
	type result struct {
		msg zmq4.Msg
		err error
	}
	done := make(chan result, 1)
	go func() {
		msg, err := s.Socket.Recv()
		done <- result{msg, err}
	}()
	select {
	case r := <-done:
		return r.msg.Frames, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Unsubscribe ends the subscription of a client that Dial has returned. The client receives no further messages of
// iopub.
func (c *Client) Unsubscribe() error {
	return c.sockets[IOPub].(zmqSocket).SetOption(zmq4.OptionUnsubscribe, "")
}

// Close closes the connection to the kernel.
func (c *Client) Close() { c.close() }

// A HeaderOption changes the header of a request.
type HeaderOption func(*wire.Header)

// Request returns the ID and the frames of a request with the given JSON content. It does not
// send the request.
func (c *Client) Request(msgType, content string, opts ...HeaderOption) (id string, frames [][]byte, err error) {
	h := wire.Header{
		MsgID:    c.Session + "_" + strconv.FormatInt(c.serial.Add(1), 10),
		Session:  c.Session,
		Username: "test",
		Date:     wire.Timestamp(time.Now()),
		Version:  wire.ProtocolVersion,
	}
	for _, o := range opts {
		o(&h)
	}
	frames, err = c.signer.Encode(&wire.Outgoing{Header: h, Content: rawContent{msgType, json.RawMessage(content)}})
	return h.MsgID, frames, err
}

type rawContent struct {
	msgType string
	json.RawMessage
}

func (r rawContent) MsgType() string { return r.msgType }

// Send sends a request and returns its msg_id.
func (c *Client) Send(channel, msgType, content string, opts ...HeaderOption) (string, error) {
	id, frames, err := c.Request(msgType, content, opts...)
	if err != nil {
		return "", err
	}
	return id, c.SendRaw(channel, frames)
}

// SendRaw sends frames unchanged.
func (c *Client) SendRaw(channel string, frames [][]byte) error {
	return c.sockets[channel].Send(frames)
}

// Execute sends an execute_request for code.
func (c *Client) Execute(code string) (string, error) {
	content, err := json.Marshal(map[string]any{"code": code, "allow_stdin": true})
	if err != nil {
		return "", err
	}
	return c.Send(Shell, "execute_request", string(content))
}

// Recv returns the next message of a channel.
func (c *Client) Recv(ctx context.Context, channel string) (*wire.Message, error) {
	frames, err := c.sockets[channel].Recv(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot receive a message on the %s channel: %w", channel, err)
	}
	return c.checks.Decode(frames)
}

// AwaitWelcome waits until the kernel has confirmed the client's subscription to iopub. The client does not receive
// messages that were published before the confirmation.
func (c *Client) AwaitWelcome(ctx context.Context) error {
	for {
		m, err := c.Recv(ctx, IOPub)
		if err != nil || m.Header.MsgType == "iopub_welcome" {
			return err
		}
	}
}

// RecvReply returns the next message of a channel that answers the request with this ID.
func (c *Client) RecvReply(ctx context.Context, channel, id string) (*wire.Message, error) {
	for {
		m, err := c.Recv(ctx, channel)
		if err != nil || m.Parent.MsgID == id {
			return m, err
		}
	}
}

// RecvUntilIdle returns the iopub messages of a request up to its idle status.
func (c *Client) RecvUntilIdle(ctx context.Context, id string) ([]*wire.Message, error) {
	var all []*wire.Message
	for {
		m, err := c.RecvReply(ctx, IOPub, id)
		if err != nil {
			return all, err
		}
		all = append(all, m)
		if State(m) == wire.Idle {
			return all, nil
		}
	}
}

// State returns the execution state that a status message announces, or "".
func State(m *wire.Message) string {
	var s wire.KernelStatus
	if m.Header.MsgType != "status" || json.Unmarshal(m.Content, &s) != nil {
		return ""
	}
	return s.ExecutionState
}
