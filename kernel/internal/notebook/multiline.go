package notebook

import (
	"encoding/json"
	"errors"
	"strings"
)

// multiline is text that notebook files store as a list of lines, each with its
// line end. It can be decoded from such a list and from a string.
type multiline string

func (m *multiline) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*m = multiline(s)
		return nil
	}
	var lines []string
	if json.Unmarshal(data, &lines) != nil {
		return errors.New("the value is " + kindOf(data) + " where text or a list of lines is expected")
	}
	*m = multiline(strings.Join(lines, ""))
	return nil
}

func (m multiline) MarshalJSON() ([]byte, error) { return encode(splitLines(string(m))) }

// splitLines splits text like Python's str.splitlines(keepends=True), which Jupyter uses. It
// recognizes more line ends than \n.
func splitLines(s string) []string {
	lines := []string{}
	start := 0
	for i, r := range s {
		end := i + len(string(r))
		switch r {
		case '\r':
			if strings.HasPrefix(s[end:], "\n") {
				continue // the line ends after the \n
			}
		case '\n', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		default:
			continue
		}
		lines = append(lines, s[start:end])
		start = end
	}
	if start < len(s) {
		lines = append(lines, s[start:])
	}
	return lines
}
