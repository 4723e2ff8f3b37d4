// Package displayhost connects package display with the host of a notebook: the code
// in this process that passes output on, such as the worker process of a kernel, or a test.
// Programs that only show output use package display and do not need this package.
package displayhost

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

// sink delivers messages to the host; nil means that there is no host. A process
// has one notebook at most, so sink is package state.
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

// Hosted reports whether this process has a host, which receives all messages.
func Hosted() bool { return sink.Load() != nil }

// textOnly is process-wide, like sink.
var textOnly atomic.Bool

// SetTextOnly sets whether the front end of the running cell is a console, which
// shows only text and cannot change an output later.
func SetTextOnly(yes bool) { textOnly.Store(yes) }

// TextOnly reports whether the front end is a console; see [SetTextOnly].
func TextOnly() bool { return textOnly.Load() }

// Send passes a message to the host and returns the host's error. Without a host it
// prints the text form to standard output, and writes files if WriteFiles was called.
// It can be called concurrently.
func Send(m Message) error {
	if f := sink.Load(); f != nil {
		return (*f)(m)
	}
	if f := files.Load(); f != nil {
		if err := f.write(m); err != nil {
			return err
		}
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
