package displayhost

import (
	"encoding/json"
	"fmt"
)

// A Kind is what a Message asks the host to do.
type Kind string

// The kinds of messages.
const (
	KindShow   Kind = "show"   // show Data; under ID, if that is set
	KindUpdate Kind = "update" // replace what was shown under ID
	KindClear  Kind = "clear"  // remove the cell's output
)

// A Message is one request to a notebook's host. Between processes it is sent as
// JSON, the bytes of MarshalBinary.
type Message struct {
	Kind     Kind           `json:"kind"`
	Data     map[string]any `json:"data,omitempty"`     // what to show, by MIME type: see display.Bundle
	Metadata map[string]any `json:"metadata,omitempty"` // how, by MIME type
	ID       string         `json:"id,omitempty"`       // of the output, if that may change
	Wait     bool           `json:"wait,omitempty"`     // with KindClear: only when the next output comes
}

// MarshalBinary encodes m. It fails if Data or Metadata holds a value that
// encoding/json cannot encode.
func (m Message) MarshalBinary() ([]byte, error) {
	type plain Message
	data, err := json.Marshal(plain(m))
	if err != nil {
		return nil, fmt.Errorf("display: cannot encode message: %w", err)
	}
	return data, nil
}

// UnmarshalBinary decodes what MarshalBinary returns.
func (m *Message) UnmarshalBinary(data []byte) error {
	if err := json.Unmarshal(data, m); err != nil {
		return fmt.Errorf("display: cannot decode message: %w", err)
	}
	return nil
}

// UnmarshalJSON decodes a message. Values of Data that are not strings stay
// json.RawMessage, which keeps large numbers and the order of keys. It leaves m
// as it was if it fails.
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
		return fmt.Errorf("unknown kind %q", p.Kind)
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
