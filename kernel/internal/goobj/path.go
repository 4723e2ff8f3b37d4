package goobj

import (
	"fmt"
	"strconv"
	"strings"
)

// EscapePath returns an import path in the form that symbol names use: dots in the last element, and bytes that
// cannot be part of a name, become % and two hexadecimal digits.
func EscapePath(path string) string {
	var b strings.Builder
	slash := strings.LastIndexByte(path, '/')
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c == '%' || c == '"' || c >= 0x7f || c == '.' && i > slash {
			fmt.Fprintf(&b, "%%%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// UnescapePath is the inverse of EscapePath.
func UnescapePath(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			v, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8)
			if err != nil || i+2 >= len(s) {
				return "", fmt.Errorf("%w: the package path %q has an invalid escape sequence", ErrFormat, s)
			}
			c = byte(v)
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}
