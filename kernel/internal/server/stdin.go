package server

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

var errNoStdin = errors.New("the cell cannot read from stdin: the front end does not allow input (allow_stdin is false)")

// connectTimeout is how long an input_request waits for a front end whose stdin
// socket is still connecting.
const connectTimeout = 2 * time.Second

// A stdin sends one input_request at a time, and finds the reply to it.
type stdin struct {
	turn    chan struct{} // holds a token while no request is pending
	pending atomic.Pointer[question]
}

type question struct {
	id       string // msg_id of the pending input_request
	identity string // identity of the front end to which the request was sent
	answer   chan string
}

func newStdin() *stdin {
	s := &stdin{turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// ask sends an input_request to the front end that sent cell, and waits for the
// reply.
func (d *stdin) ask(ctx context.Context, s *Server, cell *request, req *wire.InputRequest) (string, error) {
	select {
	case <-d.turn:
		defer func() { d.turn <- struct{}{} }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	q := &question{identity: cell.identity, answer: make(chan string, 1)}
	out := &wire.Outgoing{Envelope: cell.Envelope, Header: s.header(), Parent: cell.RawHeader, Content: req}
	q.id = out.Header.MsgID
	d.pending.Store(q)
	defer d.pending.Store(nil)
	frames, err := s.Signer.Encode(out)
	if err != nil {
		return "", err
	}
	if err := d.sendWithRetry(ctx, s.transport.Stdin(), transport.Packet{Identity: cell.identity, Frames: frames}); err != nil {
		return "", err
	}
	select {
	case v := <-q.answer:
		return v, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (d *stdin) sendWithRetry(ctx context.Context, r transport.Router, pkt transport.Packet) error {
	deadline := time.Now().Add(connectTimeout)
	for {
		err := r.Send(pkt)
		if err == nil || !errors.Is(err, transport.ErrNoPeer) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the cell cannot read from stdin: the front end is not connected to the stdin channel: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// readStdin passes replies to the pending request.
func (s *Server) readStdin(ctx context.Context, r transport.Router) {
	for {
		pkt, err := r.Recv(ctx)
		if err != nil {
			return
		}
		if err := s.answerStdin(pkt); err != nil {
			s.Log.Warn("dropped a message", "socket", "stdin", "reason", err)
		}
	}
}

// answerStdin accepts a reply of the front end that the pending request was sent
// to. Some front ends leave the parent header of an input_reply empty.
func (s *Server) answerStdin(pkt transport.Packet) error {
	m, err := s.decode(pkt)
	if err != nil {
		return err
	}
	c, err := m.DecodeContent()
	if err != nil {
		return err
	}
	reply, ok := c.(*wire.InputReply)
	if !ok {
		return fmt.Errorf("a message of type %s does not belong on the stdin channel", m.Header.MsgType)
	}
	q := s.stdin.pending.Load()
	if q == nil || q.identity != pkt.Identity || m.Parent.MsgID != "" && m.Parent.MsgID != q.id {
		return errors.New("the front end sent an input_reply for which no input_request is pending")
	}
	select {
	case q.answer <- reply.Value:
		return nil
	default:
		return errors.New("the front end sent a second input_reply to one input_request")
	}
}
