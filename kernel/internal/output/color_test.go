package output

import (
	"slices"
	"testing"
)

func TestColored(t *testing.T) {
	e := &Error{Traceback: []string{"panic: oh", "Cell [3] line 2, in f", "    g()", "     ^", "Cell [4] line 1:2: undefined: x", "x", "\x1b[1mown\x1b[0m"}}
	want := []string{
		"\x1b[1mpanic\x1b[0m: oh",
		"\x1b[38;5;64mCell [3]\x1b[0m\x1b[38;5;31m line 2\x1b[0m, in \x1b[1mf\x1b[0m", "    g()", "\x1b[1m     ^\x1b[0m",
		"\x1b[38;5;64mCell [4]\x1b[0m\x1b[38;5;31m line 1:2\x1b[0m: \x1b[1mundefined: x\x1b[0m", "x", "\x1b[1mown\x1b[0m",
	}
	if got := e.Colored(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
