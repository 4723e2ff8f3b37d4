package session

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/cellprofile"
	"github.com/perijove/perijove/kernel/internal/output"
)

// A run is one cell that is being executed.
type run struct {
	session *Session
	ctx     context.Context
	n       int
	sink    output.Sink

	stdin *stdinPrompter   // of the next shell command; set by %with_inputs
	tests *testRun         // set by %test
	prof  *cellprofile.Run // set by %%prof
	bench *benchRun        // set by %%bench
	trace traceFolder      // set by %%trace
	code  string           // the cell's text
	next  *output.NextInput
	file  string // set by %run
	news  news
}

func (r *run) print(format string, args ...any) {
	r.sink.Stream(output.Stdout, fmt.Sprintf(format, args...))
}

// cleanupTimeout is the maximum time to restore the worker's setup.
const cleanupTimeout = 10 * time.Second

// cleanupContext returns a context for restoring the worker's setup after a cell, also
// after one that was interrupted.
func (r *run) cleanupContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.ctx), cleanupTimeout)
}

// splitWords splits arguments as a shell splits plain and quoted words.
func splitWords(s string) ([]string, error) {
	var list []string
	var b strings.Builder
	in, quote := false, rune(0)
	for _, c := range s {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, in = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\\'):
			if in {
				list = append(list, b.String())
				b.Reset()
				in = false
			}
		default:
			b.WriteRune(c)
			in = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quotation mark %c is not closed", quote)
	}
	if in {
		list = append(list, b.String())
	}
	return list, nil
}

// A testRun has the arguments of a %test directive.
type testRun struct{ args []string }

// A stdinPrompter gives a command standard input with lines that the front end asks the
// user for.
type stdinPrompter struct{ password bool }
