package display

import (
	"encoding/json"
	"fmt"
)

// A Kind says what a Message asks of the host.
type Kind string

// The kinds of messages.
const (
	KindShow   Kind = "show"   // show Data; under ID, if that is set
	KindUpdate Kind = "update" // replace what was shown under ID
	KindClear  Kind = "clear"  // remove the cell's output
)

// A Bundle is one thing in several forms, keyed by MIME type. A value is a
// string: text, or base64 for binary types. For JSON types it is anything that
// encoding/json can encode. A Bundle may itself be shown.
type Bundle map[string]any

// MIMEBundle returns b, so that a Bundle can be passed to Show.
func (b Bundle) MIMEBundle() map[string]any { return b }

// UnmarshalJSON keeps values that are not strings as json.RawMessage, so that
// large numbers and the order of keys survive being forwarded.
func (b *Bundle) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*b = make(Bundle, len(raw))
	for mime, v := range raw {
		var s string
		if json.Unmarshal(v, &s) == nil && string(v) != "null" {
			(*b)[mime] = s
		} else {
			(*b)[mime] = v
		}
	}
	return nil
}

// A Message is one request to a notebook's host: the process that carries it to
// the front end. It crosses process borders as the bytes of MarshalBinary.
type Message struct {
	Kind     Kind           `json:"kind"`
	Data     Bundle         `json:"data,omitempty"`     // what to show
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

// UnmarshalBinary decodes what MarshalBinary made.
func (m *Message) UnmarshalBinary(data []byte) error {
	type plain Message
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("display: cannot decode message: %w", err)
	}
	switch p.Kind {
	case KindShow, KindUpdate, KindClear:
	default:
		return fmt.Errorf("display: cannot decode message: unknown kind %q", p.Kind)
	}
	*m = Message(p)
	return nil
}
