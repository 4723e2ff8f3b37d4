package displayhost

import (
	"encoding/json"
	"fmt"
)

// A Kind says what a [Message] asks the host to do.
type Kind string

// The kinds of messages.
const (
	KindShow   Kind = "show"   // show Data, under ID if ID is set
	KindUpdate Kind = "update" // replace the outputs shown under ID by Data
	KindClear  Kind = "clear"  // remove the cell's output
)

// A Message is one request to a notebook's host. Processes exchange messages as JSON:
// the bytes that MarshalBinary returns.
type Message struct {
	Kind     Kind           `json:"kind"`
	Data     map[string]any `json:"data,omitempty"`     // the forms to show, by MIME type: see display.Bundle
	Metadata map[string]any `json:"metadata,omitempty"` // metadata by MIME type, such as the size of a picture
	ID       string         `json:"id,omitempty"`       // identifies an output that can be updated
	Wait     bool           `json:"wait,omitempty"`     // for KindClear: clear only when the next output arrives
}

// MarshalBinary encodes m. It fails if Data or Metadata holds a value that
// encoding/json cannot encode.
func (m Message) MarshalBinary() ([]byte, error) {
	type plain Message
	data, err := json.Marshal(plain(m))
	if err != nil {
		return nil, fmt.Errorf("display: cannot encode a message of kind %q as JSON: %w", m.Kind, err)
	}
	return data, nil
}

// UnmarshalBinary decodes the bytes that MarshalBinary returns. It leaves m unchanged
// if it fails.
func (m *Message) UnmarshalBinary(data []byte) error {
	if err := json.Unmarshal(data, m); err != nil {
		return fmt.Errorf("display: cannot decode a message with a display: %w", err)
	}
	return nil
}

// UnmarshalJSON decodes a message. Values of Data that are not strings become
// json.RawMessage, which keeps large numbers and the order of keys. It leaves m
// unchanged if it fails.
func (m *Message) UnmarshalJSON(data []byte) error {
	type plain Message
	var p struct {
		plain
		Data map[string]json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	switch p.Kind {
	case KindShow, KindUpdate, KindClear:
	default:
		return fmt.Errorf("the message has the unknown kind %q", p.Kind)
	}
	*m = Message(p.plain)
	if p.Data != nil {
		m.Data = decodeData(p.Data)
	}
	return nil
}

func decodeData(raw map[string]json.RawMessage) map[string]any {
	data := make(map[string]any, len(raw))
	for mime, v := range raw {
		var s string
		if json.Unmarshal(v, &s) == nil && string(v) != "null" {
			data[mime] = s
		} else {
			data[mime] = v
		}
	}
	return data
}
