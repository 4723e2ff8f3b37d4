package output

import (
	"regexp"
	"strings"
)

// ANSI escape sequences, which front ends show as well. Red is not used, since front ends
// show errors on a red background. The colours are from the palette of 256, since each of the eight basic colours is
// either too light for the light themes of front ends or too dark for the dark themes. These two colours have a
// contrast of 3 or more in both.
const (
	bold  = "\x1b[1m"
	green = "\x1b[38;5;64m"
	blue  = "\x1b[38;5;31m"
	reset = "\x1b[0m"
)

var (
	locationLine = regexp.MustCompile(`^((?:started at )?Cell \[\d+\])( line \d+(?::\d+)?)(: |, in |$)(.*)$`)
	caretLine    = regexp.MustCompile(`^\s*\^+$`)
)

// Colored returns the lines of the traceback. The error message, places in cells, and the marks below source lines
// have colours.
func (e *Error) Colored() []string {
	lines := make([]string, len(e.Traceback))
	for i, line := range e.Traceback {
		lines[i] = colored(line, i == 0)
	}
	return lines
}

func colored(line string, isFirst bool) string {
	if strings.Contains(line, "\x1b") {
		return line // the line is coloured already
	}
	if m := locationLine.FindStringSubmatch(line); m != nil {
		if m[3] == ": " { // a compile error
			return green + m[1] + reset + blue + m[2] + reset + m[3] + bold + m[4] + reset
		}
		if m[4] == "" {
			return green + m[1] + reset + blue + m[2] + reset + m[3]
		}
		return green + m[1] + reset + blue + m[2] + reset + m[3] + bold + m[4] + reset
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
