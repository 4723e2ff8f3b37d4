// Package displayhost connects package display with the process that runs a
// notebook, its host: a kernel's worker, or a test. Programs that only show
// things use package display and nothing of this.
package displayhost

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

// sink delivers messages to the host; nil means that there is none. A process
// has one notebook at most, so it is package state.
var sink atomic.Pointer[func(Message) error]

// SetSink makes f receive all messages of this process; nil restores the
// default, which prints text forms to standard output. A host calls it before
// user code runs. f must allow concurrent calls.
func SetSink(f func(Message) error) {
	if f == nil {
		sink.Store(nil)
		return
	}
	sink.Store(&f)
}

// Hosted reports whether messages reach a notebook.
func Hosted() bool { return sink.Load() != nil }

// textOnly is process-wide, as sink is.
var textOnly atomic.Bool

// SetTextOnly tells whether the front end of the present cell is a console, which
// shows text and does not change it later.
func SetTextOnly(yes bool) { textOnly.Store(yes) }

// TextOnly reports what the host has said with SetTextOnly.
func TextOnly() bool { return textOnly.Load() }

// Send passes a message to the host and returns the host's error. Without a
// host it prints the text form to standard output. It can be called concurrently.
func Send(m Message) error {
	if f := sink.Load(); f != nil {
		return (*f)(m)
	}
	return printText(os.Stdout, m)
}

func printText(w io.Writer, m Message) error {
	if m.Kind == KindClear {
		return nil
	}
	text, ok := m.Data["text/plain"].(string)
	if !ok {
		return nil
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	_, err := fmt.Fprint(w, text)
	return err
}
