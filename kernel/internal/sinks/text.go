package sinks

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A Decoder converts bytes, in pieces as they arrive, to valid UTF-8. The zero value is
// ready to use.
type Decoder struct {
	partial []byte // the beginning of an incomplete rune
}

// Decode returns the text of b, after any bytes that the last call has kept. It keeps the bytes of an incomplete rune
// at the end of b. Invalid bytes become U+FFFD.
func (d *Decoder) Decode(b []byte) string { return string(d.DecodeBytes(b)) }

// DecodeBytes does what Decode does, without a copy: the result may share the memory of b.
func (d *Decoder) DecodeBytes(b []byte) []byte {
	if len(d.partial) > 0 {
		b = append(d.partial, b...)
	}
	b, rest := splitPartialRune(b)
	d.partial = bytes.Clone(rest)
	if utf8.Valid(b) { // much faster than ToValidUTF8
		return b
	}
	return bytes.ToValidUTF8(b, []byte("\uFFFD"))
}

// End returns U+FFFD if the bytes so far end with an incomplete rune, or else "".
func (d *Decoder) End() string {
	b := d.partial
	d.partial = nil
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// splitPartialRune splits off an incomplete UTF-8 sequence at the end.
func splitPartialRune(b []byte) (whole, rest []byte) {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		c := b[len(b)-i]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i], b[len(b)-i:]
			}
			break
		}
	}
	return b, nil
}

// A Writer is an io.Writer that passes text on to a stream of a sink.
type Writer struct {
	sink    output.Sink
	stream  string
	decoder Decoder
}

// NewWriter returns a Writer for a stream of s.
func NewWriter(s output.Sink, stream string) *Writer { return &Writer{sink: s, stream: stream} }

func (w *Writer) Write(b []byte) (int, error) {
	w.sink.Stream(w.stream, w.decoder.Decode(b))
	return len(b), nil
}
