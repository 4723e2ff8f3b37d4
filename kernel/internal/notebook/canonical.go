package notebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The functions of this file give a notebook the form in which Jupyter writes it: texts are lists of lines, keys are
// sorted, the indentation is one space. A front end that saves the notebook then changes nothing.

// canonicalCell rewrites the texts of a cell as lists of lines, and removes the metadata "trusted", which Jupyter does not store.
func canonicalCell(o *object) error {
	var metadata object
	err := errors.Join(
		o.update("source", canonicalText),
		o.update("attachments", func(raw json.RawMessage) (any, error) { return eachMember(raw, canonicalBundle) }),
		o.decode("metadata", &metadata),
	)
	if _, ok := metadata.get("trusted"); ok {
		metadata.remove("trusted")
		err = errors.Join(err, o.set("metadata", metadata))
	}
	var kind string
	if err = errors.Join(err, o.decode("cell_type", &kind)); err != nil || kind != CodeCell {
		return err
	}
	return o.update("outputs", func(raw json.RawMessage) (any, error) {
		var outputs []object
		if err := json.Unmarshal(raw, &outputs); err != nil {
			return nil, err
		}
		for i := range outputs {
			if err := canonicalOutput(&outputs[i]); err != nil {
				return nil, err
			}
		}
		return outputs, nil
	})
}

func canonicalOutput(o *object) error {
	var kind string
	if err := o.decode("output_type", &kind); err != nil {
		return err
	}
	switch kind {
	case DisplayOutput, ResultOutput:
		return o.update("data", canonicalBundle)
	case StreamOutput:
		return o.update("text", canonicalText)
	}
	return nil
}

// canonicalText returns a text, a string or a list of lines, in the form in which Jupyter writes it.
func canonicalText(raw json.RawMessage) (any, error) {
	var text multiline
	if err := json.Unmarshal(raw, &text); err != nil || hasLoneSurrogate(raw) {
		return raw, err
	}
	return text, nil
}

// canonicalBundle returns the MIME bundle of an output or attachment in the form in which Jupyter writes it.
func canonicalBundle(raw json.RawMessage) (any, error) {
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	for i, m := range o.members {
		var text multiline
		if isJSONMIME(m.key) || json.Unmarshal(m.value, &text) != nil || hasLoneSurrogate(m.value) {
			continue
		}
		var form any = string(text)
		if isSplitMIME(m.key) {
			form = text
		}
		value, err := encode(form)
		if err != nil {
			return nil, err
		}
		o.members[i].value = value
	}
	return o, nil
}

// eachMember returns an object with the values of its members replaced.
func eachMember(raw json.RawMessage, replace func(json.RawMessage) (any, error)) (any, error) {
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	for _, m := range o.members {
		if err := o.update(m.key, replace); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// writeCanonical appends a JSON value as Python's json.dumps writes it with sorted keys and an indentation of one space.
func writeCanonical(b *bytes.Buffer, raw json.RawMessage, depth int) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return errors.New("the notebook has an empty value where JSON requires one")
	}
	switch raw[0] {
	case '{':
		var o object
		if err := json.Unmarshal(raw, &o); err != nil {
			return err
		}
		members := o.sorted()
		return writeList(b, '{', '}', len(members), depth, func(i int) error {
			writeString(b, members[i].key)
			b.WriteString(": ")
			return writeCanonical(b, members[i].value, depth+1)
		})
	case '[':
		var elements []json.RawMessage
		if err := json.Unmarshal(raw, &elements); err != nil {
			return err
		}
		return writeList(b, '[', ']', len(elements), depth, func(i int) error { return writeCanonical(b, elements[i], depth+1) })
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		if hasLoneSurrogate(raw) {
			b.Write(raw)
			return nil
		}
		writeString(b, s)
		return nil
	}
	b.Write(raw)
	return nil
}

// writeList writes n elements between brackets, each on its line.
func writeList(b *bytes.Buffer, open, end byte, n, depth int, element func(i int) error) error {
	b.WriteByte(open)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + strings.Repeat(" ", depth+1))
		if err := element(i); err != nil {
			return err
		}
	}
	if n > 0 {
		b.WriteString("\n" + strings.Repeat(" ", depth))
	}
	b.WriteByte(end)
	return nil
}

// writeString writes a string as Python does: only quotes, backslashes and control characters below a space are escaped.
func writeString(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b.WriteString(s[start:i])
		start = i + 1
		if at := strings.IndexByte("\"\\\b\f\n\r\t", c); at >= 0 {
			b.WriteByte('\\')
			b.WriteByte("\"\\bfnrt"[at])
		} else {
			fmt.Fprintf(b, `\u%04x`, c)
		}
	}
	b.WriteString(s[start:])
	b.WriteByte('"')
}

// hasLoneSurrogate reports whether raw, a string or a list of strings, has half of a surrogate pair, which decoding would replace. Callers keep such
// text unchanged.
func hasLoneSurrogate(raw json.RawMessage) bool {
	if !bytes.Contains(bytes.ToLower(raw), []byte(`\ud`)) {
		return false
	}
	var s multiline
	if json.Unmarshal(raw, &s) != nil {
		return false
	}
	replaced := strings.Count(string(s), string(utf8.RuneError))
	written := bytes.Count(raw, []byte(string(utf8.RuneError))) + bytes.Count(bytes.ToLower(raw), []byte(`\ufffd`))
	return replaced > written
}

// sorted returns the members in the order of their keys. Of several members with the same key, it returns only the last.
func (o *object) sorted() []member {
	members := slices.Clone(o.members)
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	kept := members[:0]
	for i, m := range members {
		if i == len(members)-1 || members[i+1].key != m.key {
			kept = append(kept, m)
		}
	}
	return kept
}

// update replaces the value of a member, if there is one that is not null.
func (o *object) update(key string, replace func(json.RawMessage) (any, error)) error {
	raw, ok := o.get(key)
	if !ok || string(raw) == "null" {
		return nil
	}
	value, err := replace(raw)
	if err != nil {
		return fmt.Errorf("the field %q is invalid: %w", key, err)
	}
	return o.set(key, value)
}

// remove deletes the members with a key.
func (o *object) remove(key string) {
	o.members = slices.DeleteFunc(o.members, func(m member) bool { return m.key == key })
}
