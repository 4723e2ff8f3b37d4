// Package wire reads and writes Jupyter messages: their framing, their signature and their typed contents. Its only
// state is the set of signatures that a Signer has accepted.
//
// The protocol is version 5.5 of jupyter_client's docs/messaging.rst, with the welcome message of JEP 65, kernel_info
// on control (JEP 80), subshells (JEP 91) and supported_features (JEP 92).
package wire

import (
	"encoding/json"
	"errors"
	"time"
)

// ProtocolVersion is the protocol version in kernel_info_reply and in every header.
const ProtocolVersion = "5.5"

// Limits of one message. A message that exceeds one of them is rejected before any
// part of it is decoded.
const (
	MaxFrames     = 512      // frames of the envelope, the delimiter, the signature, the four parts and the buffers
	MaxEnvelope   = 16       // frames before the delimiter
	MaxHeader     = 64 << 10 // bytes in each of header and parent header
	MaxMessage    = 64 << 20 // bytes in all frames together
	maxIdentifier = 1024     // bytes in msg_id, session, msg_type
)

const delimiter = "<IDS|MSG>"

// ErrReplayed is the error for a message whose signature was verified before.
var ErrReplayed = errors.New("wire: a message with the same signature was received before")

// ErrSignature is the error for a signature that does not match the message.
var ErrSignature = errors.New("wire: the signature does not match the message")

// A Header identifies a message and its sender.
type Header struct {
	MsgID      string `json:"msg_id"`
	Session    string `json:"session"`
	Username   string `json:"username"`
	Date       string `json:"date"`
	MsgType    string `json:"msg_type"`
	Version    string `json:"version"`
	SubshellID string `json:"subshell_id,omitempty"`
}

// Time returns the date of the message by the sender's clock. It returns false if the header has no valid date.
func (h *Header) Time() (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, h.Date)
	return t, err == nil
}

// Timestamp formats t as message headers do.
func Timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// A Message is one verified message as it was received.
type Message struct {
	// Envelope holds the routing frames before the delimiter. A reply starts
	// with the same frames.
	Envelope [][]byte
	Header   Header
	// RawHeader is the header as the sender wrote it. A reply contains it as parent_header.
	RawHeader json.RawMessage
	Parent    Header // header of the message to which this one is a reply; zero if there is none
	Metadata  json.RawMessage
	Content   json.RawMessage
	Buffers   [][]byte
}

// An Outgoing is a message to be sent.
type Outgoing struct {
	Envelope [][]byte
	Header   Header
	Parent   json.RawMessage // RawHeader of the parent message; nil if there is none
	Metadata any             // nil if there is no metadata
	Content  Content
	Buffers  [][]byte
}

// Content is the typed content of one kind of message.
type Content interface {
	// MsgType returns the msg_type of messages with this content.
	MsgType() string
}
