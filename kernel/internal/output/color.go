package output

import (
	"regexp"
	"strings"
)

// Escape sequences of terminals, which front ends show as well. Red is not among them:
// front ends show errors on a red ground.
const (
	bold  = "\x1b[1m"
	green = "\x1b[32m"
	cyan  = "\x1b[36m"
	reset = "\x1b[0m"
)

var (
	locationLine = regexp.MustCompile(`^((?:started at )?Cell \[\d+\])( line \d+(?::\d+)?)(: |, in |$)(.*)$`)
	caretLine    = regexp.MustCompile(`^\s*\^+$`)
)

// Colored returns the lines of the traceback with colours: places in cells, the marks
// below them, and what went wrong.
func (e *Error) Colored() []string {
	lines := make([]string, len(e.Traceback))
	for i, line := range e.Traceback {
		lines[i] = colored(line, i == 0)
	}
	return lines
}

func colored(line string, isFirst bool) string {
	if strings.Contains(line, "\x1b") {
		return line // it has its own
	}
	if m := locationLine.FindStringSubmatch(line); m != nil {
		if m[3] == ": " { // of a mistake that the compiler would find
			return green + m[1] + reset + cyan + m[2] + reset + m[3] + bold + m[4] + reset
		}
		if m[4] == "" {
			return green + m[1] + reset + cyan + m[2] + reset + m[3]
		}
		return green + m[1] + reset + cyan + m[2] + reset + m[3] + bold + m[4] + reset
	}
	switch {
	case caretLine.MatchString(line):
		return bold + line + reset
	case isFirst && line != "":
		name, rest, ok := strings.Cut(line, ": ")
		if !ok {
			return bold + line + reset
		}
		return bold + name + reset + ": " + rest
	}
	return line
}
