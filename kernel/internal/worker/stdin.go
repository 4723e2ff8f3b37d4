package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
)

// Reading standard input asks the front end for a line. There is no pipe for
// it: nobody could tell when a cell waits at the other end. Instead the read
// method of files is hooked, and what is read from os.Stdin comes from here.
var stdin struct {
	file *os.File
	read func(f *os.File, b []byte) (int, error) // the original

	mu   sync.Mutex // one reader at a time
	line []byte     // what was asked for and not yet read
}

func (w *worker) hookStdin() {
	stdin.file = os.Stdin
	orig, err := link.Original[func(f *os.File, b []byte) (int, error)](w.linker, "os.(*File).Read")
	if err == nil {
		stdin.read = orig
		_, err = link.Hook(w.linker, "os.(*File).Read", fileRead)
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
	stdin.mu.Lock()
	defer stdin.mu.Unlock()
	if len(stdin.line) == 0 {
		line, err := self.input("", false)
		if err != nil {
			return 0, &os.PathError{Op: "read", Path: "standard input", Err: err}
		}
		stdin.line = []byte(line + "\n")
	}
	n := copy(b, stdin.line)
	stdin.line = stdin.line[n:]
	return n, nil
}

// input asks the front end for a line.
func (w *worker) input(prompt string, password bool) (string, error) {
	m, err := w.ask(control.Message{Kind: control.Input, Text: prompt, Password: password})
	if err != nil {
		return "", io.ErrUnexpectedEOF
	}
	if m.Error != "" {
		return "", errors.New(m.Error)
	}
	return m.Text, nil
}
