package session

import (
	"regexp"
	"strings"
)

var questionLine = regexp.MustCompile(`^(\??)\s*([\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*)\s*(\??)$`)

// question returns the name that a cell asks about, as consoles of other
// languages do: name? or ?name.
func question(code string) string {
	m := questionLine.FindStringSubmatch(strings.TrimSpace(code))
	if m == nil || m[1] == m[3] {
		return ""
	}
	return m[2]
}

// answer says what a name means.
func (s *Session) answer(name string) string {
	d, ok := s.program.Load().Describe(name, len(name))
	if !ok {
		return "nothing is known of " + name + "\n"
	}
	if d.Doc != "" {
		return d.Text + "\n\n" + strings.TrimRight(d.Doc, "\n") + "\n"
	}
	return d.Text + "\n"
}
