package server

import (
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

func (s *Server) header() wire.Header {
	return wire.Header{
		MsgID:    s.id + "_" + strconv.FormatInt(s.serial.Add(1), 10),
		Session:  s.id,
		Username: "kernel",
		Date:     wire.Timestamp(time.Now()),
		Version:  wire.ProtocolVersion,
	}
}

// encode returns the frames of a message. If the content cannot be encoded, for example a display of a value that has
// no JSON form, encode logs that and returns nil.
func (s *Server) encode(envelope [][]byte, parent json.RawMessage, c wire.Content, metadata any, buffers ...[]byte) [][]byte {
	frames, err := s.Signer.Encode(&wire.Outgoing{
		Envelope: envelope, Header: s.header(), Parent: parent, Metadata: metadata, Content: c, Buffers: buffers,
	})
	if err != nil {
		s.Log.Error("cannot encode a message", "error", err)
		return nil
	}
	return frames
}

func (s *Server) reply(r *request, rep reply) {
	s.send(r, r.router, rep)
}

// send sends a message to the peer that r came from.
func (s *Server) send(r *request, to transport.Router, rep reply) error {
	frames := s.encode(r.Envelope, r.RawHeader, rep.content, rep.metadata)
	if frames == nil {
		return nil
	}
	err := to.Send(transport.Packet{Identity: r.identity, Frames: frames})
	if err != nil {
		s.Log.Info("no peer is connected for a message", "type", rep.content.MsgType(), "reason", err)
	}
	return err
}

// broadcast returns the frames of a message for iopub. Its topic lets subscribers
// select types of messages.
func (s *Server) broadcast(parent *wire.Message, c wire.Content) [][]byte {
	return s.broadcastWith(parent, c, nil)
}

func (s *Server) broadcastWith(parent *wire.Message, c wire.Content, metadata any, buffers ...[]byte) [][]byte {
	var raw json.RawMessage
	if parent != nil {
		raw = parent.RawHeader
	}
	topic := "kernel." + s.id + "." + c.MsgType()
	return s.encode([][]byte{[]byte(topic)}, raw, c, metadata, buffers...)
}

// publish sends a message to all subscribers, and waits for slow subscribers. A message that cannot be encoded is
// replaced by a line on stderr.
func (s *Server) publish(parent *wire.Message, c wire.Content) {
	frames := s.broadcast(parent, c)
	if frames == nil {
		text := "perijove: the kernel could not send a " + c.MsgType() + " message: a value in it has no JSON form\n"
		frames = s.broadcast(parent, &wire.Stream{Name: output.Stderr, Text: text})
	}
	s.transport.IOPub().Publish(frames)
}

// contentBuffers has memory for the contents of stream messages.
var contentBuffers = sync.Pool{New: func() any { return new([]byte) }}

// publishText does what publish does, for text. It uses the memory of long messages again, because cells may print
// hundreds of megabytes a second.
func (s *Server) publishText(parent *wire.Message, c *wire.TextStream) {
	if len(c.Text) < minBatch {
		s.publish(parent, c)
		return
	}
	buf := contentBuffers.Get().(*[]byte)
	c.Buffer = *buf
	frames := s.broadcast(parent, c)
	*buf = c.Buffer
	s.transport.IOPub().PublishReusable(frames, func() { contentBuffers.Put(buf) })
}

// publishWith does what publish does, and adds metadata and binary data to the message.
func (s *Server) publishWith(parent *wire.Message, c wire.Content, metadata map[string]any, buffers ...[]byte) {
	if frames := s.broadcastWith(parent, c, object(metadata), buffers...); frames != nil {
		s.transport.IOPub().Publish(frames)
	}
}

// publishNow does what publish does, but does not wait for slow subscribers. It is for small messages.
func (s *Server) publishNow(parent *wire.Message, c wire.Content) {
	if frames := s.broadcast(parent, c); frames != nil {
		s.transport.IOPub().PublishNow(frames)
	}
}

// Welcome returns the iopub_welcome message for a new subscription (JEP 65).
func (s *Server) Welcome(topic string) [][]byte {
	return s.encode([][]byte{[]byte(topic)}, nil, &wire.IOPubWelcome{Subscription: topic}, nil)
}

// Subscribed sends the last status to a new subscriber, since a front end that reconnects may still wait for the idle
// status of its cell.
func (s *Server) Subscribed(send func(frames [][]byte)) {
	s.running.mu.Lock()
	defer s.running.mu.Unlock()
	if s.running.state != "" {
		send(s.broadcast(s.running.parent, &wire.KernelStatus{ExecutionState: s.running.state}))
	}
}
