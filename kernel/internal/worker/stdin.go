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

// stdin is the state of standard input. A read from standard input asks the front end for a line. Standard input is not
// a pipe, since the worker process could not notice that a cell reads from a pipe. Instead, (*os.File).Read is hooked,
// and fileRead serves reads from os.Stdin.
//
// If a cell does not read all of a line, the rest is dropped when the cell ends, since it was the
// answer to that cell's question and not to that of the next cell. If a goroutine that has asked for a line continues
// after its cell, it keeps the rest of the line; no other cell gets it.
var stdin struct {
	file *os.File
	read func(f *os.File, b []byte) (int, error) // the original

	turn sync.Mutex // held while a line is requested and read: one reader at a time

	mu     sync.Mutex                     // guards unread
	unread map[unsafe.Pointer]*unreadLine // by the profiler label of the cell
}

// An unreadLine is the rest of a line that the goroutine which asked for the line has not
// read yet.
type unreadLine struct {
	g    uintptr
	id   uint64 // ID of the goroutine; 0 if it is not known
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

// stdinOwner returns the label of the cell that the calling goroutine belongs to, or that of the running
// cell if it has none.
func (w *worker) stdinOwner() unsafe.Pointer {
	if label := celllabels.Current(); label != nil && w.cellLabels.Of(label) != 0 {
		return label
	}
	return w.cellLabels.Running()
}

// readUnread reads from the unread line with this key, and returns the number of bytes; 0 if there is none.
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

// dropUnread removes the unread lines of x, which has ended, and of goroutines that have
// ended.
func (w *worker) dropUnread(x *execution) {
	stdin.mu.Lock()
	defer stdin.mu.Unlock()
	for key, rest := range stdin.unread {
		if rest.g == x.g.Load() || !w.isAlive(rest.g, rest.id) {
			delete(stdin.unread, key)
		}
	}
}

// isAlive reports whether a goroutine has not ended. It returns false if that is not known.
func (w *worker) isAlive(g uintptr, id uint64) bool {
	if w.goroutines == nil || id == 0 {
		return false
	}
	now := w.goroutines.Describe(g)
	return now.ID == id && now.State != goruntime.Gone
}

// input asks the front end for a line and waits for it.
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
