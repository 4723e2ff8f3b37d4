package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Positions after the delimiter.
const (
	partSignature = iota
	partHeader
	partParent
	partMetadata
	partContent
	partCount
)

// Decode verifies the signature of one message and splits its frames. It decodes no part of a message before the
// signature is verified. DecodeContent decodes the content. The Message shares memory with frames.
func (s *Signer) Decode(frames [][]byte) (*Message, error) {
	at, err := checkShape(frames)
	if err != nil {
		return nil, err
	}
	parts := frames[at+1:]
	if err := s.verify(parts[partSignature], parts[partHeader:partCount]); err != nil {
		return nil, err
	}
	m := &Message{
		Envelope:  frames[:at],
		RawHeader: parts[partHeader],
		Metadata:  parts[partMetadata],
		Content:   parts[partContent],
		Buffers:   parts[partCount:],
	}
	if err := json.Unmarshal(parts[partHeader], &m.Header); err != nil {
		return nil, fmt.Errorf("wire: cannot decode the header of a message: %w", err)
	}
	if err := json.Unmarshal(parts[partParent], &m.Parent); err != nil {
		return nil, fmt.Errorf("wire: cannot decode the parent header of a message: %w", err)
	}
	return m, m.check()
}

// checkShape returns the index of the delimiter.
func checkShape(frames [][]byte) (int, error) {
	if len(frames) > MaxFrames {
		return 0, fmt.Errorf("wire: a message has %d frames, more than the limit of %d", len(frames), MaxFrames)
	}
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	if size > MaxMessage {
		return 0, fmt.Errorf("wire: a message has %d bytes, more than the limit of %d", size, MaxMessage)
	}
	at := -1
	for i := 0; i < len(frames) && i <= MaxEnvelope; i++ {
		if string(frames[i]) == delimiter {
			at = i
			break
		}
	}
	if at < 0 {
		return 0, errors.New("wire: a message has no delimiter " + delimiter)
	}
	if n := len(frames) - at - 1; n < partCount {
		return 0, fmt.Errorf("wire: a message has %d parts after the delimiter, and %d are needed", n, partCount)
	}
	for _, p := range frames[at+1+partHeader : at+1+partMetadata] {
		if len(p) > MaxHeader {
			return 0, fmt.Errorf("wire: a header has %d bytes, more than the limit of %d", len(p), MaxHeader)
		}
	}
	return at, nil
}

func (m *Message) check() error {
	h := &m.Header
	switch {
	case h.MsgType == "":
		return errors.New("wire: the header of a message has no msg_type")
	case h.MsgID == "":
		return errors.New("wire: the header of a message has no msg_id")
	case len(h.MsgType) > maxIdentifier, len(h.MsgID) > maxIdentifier, len(h.Session) > maxIdentifier:
		return fmt.Errorf("wire: the header of a message has an identifier of more than %d bytes", maxIdentifier)
	}
	if !isObject(m.RawHeader) || !isObject(m.Metadata) || !isObject(m.Content) {
		return errors.New("wire: the header, metadata or content of a message is not a JSON object")
	}
	return nil
}

func isObject(part []byte) bool {
	part = bytes.TrimLeft(part, " \t\r\n")
	return len(part) > 0 && part[0] == '{' && json.Valid(part)
}

var emptyObject = []byte("{}")

// Encode signs and frames a message. The header's MsgType is taken from the
// content.
func (s *Signer) Encode(m *Outgoing) ([][]byte, error) {
	m.Header.MsgType = m.Content.MsgType()
	header, err := marshal(m.Header)
	if err != nil {
		return nil, err
	}
	content, err := marshal(m.Content)
	if err != nil {
		return nil, fmt.Errorf("wire: cannot encode the content of a message of type %s: %w", m.Header.MsgType, err)
	}
	metadata := emptyObject
	if m.Metadata != nil {
		if metadata, err = marshal(m.Metadata); err != nil {
			return nil, fmt.Errorf("wire: cannot encode the metadata of a message of type %s: %w", m.Header.MsgType, err)
		}
	}
	parent := []byte(m.Parent)
	if len(parent) == 0 {
		parent = emptyObject
	}
	parts := [][]byte{header, parent, metadata, content}
	frames := make([][]byte, 0, len(m.Envelope)+2+len(parts)+len(m.Buffers))
	frames = append(frames, m.Envelope...)
	frames = append(frames, []byte(delimiter), s.sign(parts))
	frames = append(frames, parts...)
	return append(frames, m.Buffers...), nil
}

// marshal does what json.Marshal does, but does not escape <, > and &. Escaping them matters only for JSON inside HTML.
func marshal(v any) ([]byte, error) {
	if s, ok := v.(*TextStream); ok {
		return s.marshal()
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
