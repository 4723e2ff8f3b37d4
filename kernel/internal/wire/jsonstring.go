package wire

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// A TextStream is a Stream whose text is a byte slice. Encode does not keep the text.
type TextStream struct {
	Name string
	Text []byte // valid UTF-8
	// Buffer is memory that Encode may use for the content, or nil. Encode sets Buffer to the frame with the content.
	// A later call can use the memory of that frame again.
	Buffer []byte
}

// MsgType returns the type of stream messages.
func (TextStream) MsgType() string { return Stream{}.MsgType() }

// marshal returns the same JSON as that of a Stream.
func (s *TextStream) marshal() ([]byte, error) {
	if !utf8.Valid(s.Text) {
		return marshal(&Stream{Name: s.Name, Text: string(s.Text)})
	}
	const rest = len(`{"name":"","text":""}`)
	dst := slices.Grow(s.Buffer[:0], len(s.Text)+len(s.Text)/16+len(s.Name)+rest)
	dst = append(dst, `{"name":`...)
	dst = appendString(dst, []byte(s.Name))
	dst = append(dst, `,"text":`...)
	dst = appendString(dst, s.Text)
	s.Buffer = append(dst, '}')
	return s.Buffer, nil
}

const (
	ones  = 0x0101010101010101 // a one in each byte
	highs = 0x80 * ones        // the high bit of each byte
	// separatorStart is the first byte of U+2028 and U+2029, which package json escapes for JavaScript.
	separatorStart = 0xE2
)

// appendString appends s, which is valid UTF-8, as a JSON string, as package json does without the escaping of HTML. It
// is several times as fast as package json, because it examines and copies eight bytes at a time.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for len(s) >= 8 {
		end := len(dst)
		dst = slices.Grow(dst, 8)[:end+8]
		x := binary.LittleEndian.Uint64(s)
		binary.LittleEndian.PutUint64(dst[end:], x)
		// The lowest bit that is set in each of these terms belongs to the first byte that must be escaped. Bits above it may be wrong.
		special := (x-0x20*ones)&^x | zeroBytes(x^'"'*ones) | zeroBytes(x^'\\'*ones) | zeroBytes(x^separatorStart*ones)
		if special &= highs; special == 0 {
			s = s[8:]
			continue
		}
		plain := bits.TrailingZeros64(special) / 8
		var n int
		dst, n = appendSpecial(dst[:end+plain], s[plain:])
		s = s[plain+n:]
	}
	for len(s) > 0 {
		if c := s[0]; c >= ' ' && c != '"' && c != '\\' && c != separatorStart {
			dst, s = append(dst, c), s[1:]
			continue
		}
		var n int
		dst, n = appendSpecial(dst, s)
		s = s[n:]
	}
	return append(dst, '"')
}

// zeroBytes marks zero bytes of x by their high bits. Only the lowest high bit that is set in the result is certain to be that of a zero byte.
func zeroBytes(x uint64) uint64 { return (x - ones) &^ x }

// appendSpecial appends the first character of s, which may have to be escaped. It returns the length of the character.
func appendSpecial(dst, s []byte) ([]byte, int) {
	const hex = "0123456789abcdef"
	switch c := s[0]; c {
	case '\n':
		return append(dst, '\\', 'n'), 1
	case '"', '\\':
		return append(dst, '\\', c), 1
	case '\t':
		return append(dst, '\\', 't'), 1
	case '\r':
		return append(dst, '\\', 'r'), 1
	case '\b':
		return append(dst, '\\', 'b'), 1
	case '\f':
		return append(dst, '\\', 'f'), 1
	case separatorStart:
		if s[1] == 0x80 && s[2]&^1 == 0xA8 {
			return append(dst, '\\', 'u', '2', '0', '2', hex[s[2]&0xF]), 3
		}
		return append(dst, s[:3]...), 3
	default:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF]), 1
	}
}
