package server

import "unicode/utf8"

// The protocol counts a cursor in Unicode code points, the session in bytes.

// byteOffset converts a cursor in code points to an offset into code. If cursor is nil, the offset is the end of code.
// A cursor outside of code is moved to the nearer end.
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

// codePoints converts a byte offset into code to a count of code points.
func codePoints(code string, offset int) int {
	return utf8.RuneCountInString(code[:min(max(offset, 0), len(code))])
}
