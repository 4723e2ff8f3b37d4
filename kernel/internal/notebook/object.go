package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// An object is a JSON object that keeps the order of its members, and the exact text of unchanged members, so that
// writing a notebook loses nothing.
type object struct{ members []member }

type member struct {
	key   string
	value json.RawMessage
}

func (o *object) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return fmt.Errorf("the value is %s where an object is expected", kindOf(data))
	}
	o.members = nil
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		m := member{key: tok.(string)} // the decoder accepts only strings as keys
		if err := dec.Decode(&m.value); err != nil {
			return err
		}
		o.members = append(o.members, m)
	}
	_, err = dec.Token()
	return err
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := encode(m.key)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (o *object) get(key string) (json.RawMessage, bool) {
	for _, m := range o.members {
		if m.key == key {
			return m.value, true
		}
	}
	return nil, false
}

// decode stores the member's value in v. If the member is missing or null, it does not change v.
func (o *object) decode(key string, v any) error {
	raw, ok := o.get(key)
	if !ok || string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("the field %q is invalid: %w", key, err)
	}
	return nil
}

// set replaces the value of a member, or inserts the member in the order of keys, which
// Jupyter sorts.
func (o *object) set(key string, v any) error {
	raw, err := encode(v)
	if err != nil {
		return fmt.Errorf("cannot encode the field %q: %w", key, err)
	}
	at := len(o.members)
	for i := len(o.members) - 1; i >= 0; i-- {
		if o.members[i].key == key {
			o.members[i].value = raw
			return nil
		}
		if o.members[i].key > key {
			at = i
		}
	}
	o.members = append(o.members, member{})
	copy(o.members[at+1:], o.members[at:])
	o.members[at] = member{key, raw}
	return nil
}

// encode does what json.Marshal does, but does not escape characters for HTML, since Jupyter does not escape them
// either.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func kindOf(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "nothing"
	}
	switch c := raw[0]; {
	case c == '{':
		return "an object"
	case c == '[':
		return "a list"
	case c == '"':
		return "a string"
	case c == 't', c == 'f':
		return "a boolean"
	case c == 'n':
		return "null"
	}
	return "a number"
}
