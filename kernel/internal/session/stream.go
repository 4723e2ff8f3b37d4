package session

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"golang.org/x/sys/unix"
)

// A stream is an output pipe of the worker, or one that its children hold.
type stream struct {
	text
	f      *os.File
	raw    syscall.RawConn
	fd     int
	again  chan bool   // to the watcher: a piece was read
	cell   output.Sink // whose it is; nil means the running cell's
	closed bool
}

const (
	pipeSize = 1 << 20 // wanted; a smaller one costs time

	// maxStreams bounds the pipes that children of earlier cells hold. With more
	// of them the worker gets no new ones.
	maxStreams = 128
)

// newStream reads r, which it closes if that is impossible.
func newStream(name string, r *os.File) (*stream, error) {
	s := &stream{text: text{name: name}, f: r, again: make(chan bool, 1)}
	var err error
	if s.raw, err = r.SyscallConn(); err == nil {
		err = s.raw.Control(func(fd uintptr) {
			s.fd = int(fd)
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize)
		})
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return s, nil
}

// watch says when the pipe can be read, until stop is closed.
func (s *stream) watch(readable chan<- *stream, stop <-chan struct{}) {
	for {
		err := s.raw.Read(func(fd uintptr) bool {
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(p, 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
		if err != nil {
			return // closed
		}
		select {
		case readable <- s:
		case <-stop:
			return
		}
		select {
		case more := <-s.again:
			if !more {
				return
			}
		case <-stop:
			return
		}
	}
}

// A text makes valid UTF-8 of bytes as they come.
type text struct {
	name    string // of the stream
	partial []byte // the beginning of a rune whose rest has not come yet
}

func (t *text) decode(b []byte) string {
	b = append(t.partial, b...)
	b, rest := splitPartialRune(b)
	t.partial = bytes.Clone(rest)
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// rest ends the text: what was begun and not finished is no rune.
func (t *text) rest() string {
	b := t.partial
	t.partial = nil
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// splitPartialRune splits off an incomplete UTF-8 sequence at the end.
func splitPartialRune(b []byte) (whole, rest []byte) {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		c := b[len(b)-i]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i], b[len(b)-i:]
			}
			break
		}
	}
	return b, nil
}

// A start is a cell that the worker was sent and has not yet loaded.
type start struct {
	loaded func(reset, notices []string)
	out    [2]*stream // new pipes, if the worker is offered any
	names  []string   // theirs
}

// outlets makes new pipes for the worker and returns their names, or none if
// that is impossible: it then keeps the old ones.
func (s *start) outlets(dir string, id int) []string {
	for i, name := range []string{output.Stdout, output.Stderr} {
		path := filepath.Join(dir, fmt.Sprintf("out%d-%d", id, i+1))
		if unix.Mkfifo(path, 0o600) != nil {
			s.discard()
			return nil
		}
		s.names = append(s.names, path)
		r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			s.discard()
			return nil
		}
		if s.out[i], err = newStream(name, r); err != nil {
			s.discard()
			return nil
		}
	}
	return s.names
}

// unlink removes the pipes' names, which nobody needs who has opened them.
func (s *start) unlink() {
	for _, path := range s.names {
		_ = os.Remove(path)
	}
}

// discard closes pipes that the worker does not take.
func (s *start) discard() {
	s.unlink()
	for i, o := range s.out {
		if o != nil {
			o.f.Close()
		}
		s.out[i] = nil
	}
}

// earlier are the cells whose output is told apart, by execution.
type earlier struct {
	cells map[int]*earlierCell
	order []int // oldest first
}

type earlierCell struct {
	sink output.Sink
	text [2]text // of standard output and error
}

func (e *earlier) add(id int, sink output.Sink) {
	if e.cells == nil {
		e.cells = map[int]*earlierCell{}
	}
	if len(e.order) == control.MaxExecutions {
		delete(e.cells, e.order[0])
		e.order = e.order[1:]
	}
	c := &earlierCell{sink: sink}
	c.text[0].name, c.text[1].name = output.Stdout, output.Stderr
	e.cells[id] = c
	e.order = append(e.order, id)
}
