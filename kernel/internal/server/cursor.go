package server

import "unicode/utf8"

// The protocol counts a cursor in Unicode code points, the session in bytes.

// byteOffset converts a count of code points into code; nil means its end, and
// what lies outside is moved to the nearest end.
func byteOffset(code string, cursor *int) int {
	if cursor == nil {
		return len(code)
	}
	n := *cursor
	for i := range code {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(code)
}

// codePoints converts a byte offset into code.
func codePoints(code string, offset int) int {
	return utf8.RuneCountInString(code[:min(max(offset, 0), len(code))])
}
