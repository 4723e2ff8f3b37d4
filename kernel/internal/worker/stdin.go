package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/celllabels"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

// Reading standard input asks the front end for a line. There is no pipe for
// it: it could not be told when a cell waits at the other end. Instead the read
// method of files is hooked, and what is read from os.Stdin comes from here.
//
// What a cell does not read of a line is dropped when the cell ends: it was the
// answer to that cell's question, and would be a wrong one to the next. A
// goroutine that goes on keeps its line, which no other cell gets.
var stdin struct {
	file *os.File
	read func(f *os.File, b []byte) (int, error) // the original

	turn sync.Mutex // held while a line is asked for and read: one reader at a time

	mu     sync.Mutex                     // guards unread
	unread map[unsafe.Pointer]*unreadLine // by the label of the cell
}

// An unreadLine is the rest of a line that was asked for, which the goroutine that
// asked has not read.
type unreadLine struct {
	g    uintptr
	id   uint64 // of the goroutine; 0 if that is not known
	text []byte
}

func (w *worker) hookStdin() {
	stdin.file = os.Stdin
	orig, err := goruntime.Original[func(f *os.File, b []byte) (int, error)](w.runtime, "os.(*File).Read")
	if err == nil {
		stdin.read = orig
		_, err = goruntime.Hook(w.runtime, "os.(*File).Read", fileRead)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: cells cannot read standard input:", err)
	}
}

// fileRead replaces (*os.File).Read.
func fileRead(f *os.File, b []byte) (int, error) {
	if f == nil || f != stdin.file {
		return stdin.read(f, b)
	}
	if len(b) == 0 {
		return 0, nil
	}
	stdin.turn.Lock()
	defer stdin.turn.Unlock()
	key := self.stdinOwner()
	if n := readUnread(key, b); n > 0 {
		return n, nil
	}
	line, err := self.input("", false)
	if err != nil {
		return 0, &os.PathError{Op: "read", Path: "standard input", Err: err}
	}
	text := []byte(line + "\n")
	n := copy(b, text)
	self.keepUnread(key, text[n:])
	return n, nil
}

// stdinOwner returns the label of the cell on whose behalf the calling goroutine
// reads: the running one's if it has none.
func (w *worker) stdinOwner() unsafe.Pointer {
	if label := celllabels.Current(); label != nil && w.cellLabels.Of(label) != 0 {
		return label
	}
	return w.cellLabels.Running()
}

// readUnread reads what is left of a line.
func readUnread(key unsafe.Pointer, b []byte) int {
	stdin.mu.Lock()
	defer stdin.mu.Unlock()
	rest := stdin.unread[key]
	if rest == nil {
		return 0
	}
	n := copy(b, rest.text)
	if rest.text = rest.text[n:]; len(rest.text) == 0 {
		delete(stdin.unread, key)
	}
	return n
}

func (w *worker) keepUnread(key unsafe.Pointer, text []byte) {
	if len(text) == 0 {
		return
	}
	rest := &unreadLine{g: preempt.CurrentG(), text: text}
	if w.goroutines != nil {
		rest.id = w.goroutines.Describe(rest.g).ID
	}
	stdin.mu.Lock()
	defer stdin.mu.Unlock()
	if stdin.unread == nil {
		stdin.unread = map[unsafe.Pointer]*unreadLine{}
	}
	stdin.unread[key] = rest
}

// dropUnread forgets what x, which has ended, and goroutines that have ended did
// not read.
func (w *worker) dropUnread(x *execution) {
	stdin.mu.Lock()
	defer stdin.mu.Unlock()
	for key, rest := range stdin.unread {
		if rest.g == x.g.Load() || !w.isAlive(rest.g, rest.id) {
			delete(stdin.unread, key)
		}
	}
}

// isAlive reports whether a goroutine is known not to have ended.
func (w *worker) isAlive(g uintptr, id uint64) bool {
	if w.goroutines == nil || id == 0 {
		return false
	}
	now := w.goroutines.Describe(g)
	return now.ID == id && now.State != goruntime.Gone
}

// input asks the front end for a line.
func (w *worker) input(prompt string, password bool) (string, error) {
	answer, err := w.ask(func(seq int) control.Message {
		return control.InputRequest{Seq: seq, Prompt: prompt, Password: password}
	})
	if err != nil {
		return "", io.ErrUnexpectedEOF
	}
	m, _ := answer.(control.InputReply)
	if m.Error != "" {
		return "", errors.New(m.Error)
	}
	return m.Text, nil
}
