package display

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

// sink is the way to the host. A process has one notebook at most, and a child
// process forwards to its parent, so it is package state; nil means no host.
var sink atomic.Pointer[func(Message) error]

// SetSink makes f receive all messages of this process; nil restores the
// default, which prints text forms to standard output. Hosts call it before
// user code runs. f may be called from several goroutines at once.
func SetSink(f func(Message) error) {
	if f == nil {
		sink.Store(nil)
		return
	}
	sink.Store(&f)
}

// Hosted reports whether messages reach a notebook.
func Hosted() bool { return sink.Load() != nil }

// Send hands a message to the host, or prints its text form to standard output
// where there is none.
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
