package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"sync"
	"syscall"
	"time"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A drain reads the parent's end of a pipe from a child, until end of file. After the
// child is gone, it reads only the bytes that are in the pipe, since other processes
// may still hold the other end.
type drain struct {
	f     *os.File
	ended bool // a Read has noticed that the child is gone
}

// childGone tells the drain that the child is gone. It ends a Read that waits.
func (d *drain) childGone() { _ = d.f.SetReadDeadline(time.Unix(1, 0)) }

func (d *drain) Read(b []byte) (int, error) {
	if !d.ended {
		n, err := d.f.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		d.ended = true
		_ = d.f.SetReadDeadline(time.Time{})
	}
	c, err := d.f.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	if e := c.Read(func(fd uintptr) bool {
		for {
			if n, err = readNow(fd, b); err != syscall.EINTR {
				return true
			}
		}
	}); e != nil {
		return 0, e
	}
	if n <= 0 {
		return 0, io.EOF // also if the pipe is empty
	}
	return n, nil
}

// A sink is a user's writer that several children share. They write one at a time;
// those of a pool write whole lines.
type sink struct {
	mu    sync.Mutex
	w     io.Writer
	lines bool
	err   error // of the first failed write; nothing is written after it
}

// Sinks are the sinks of a child's standard output and standard error. A sink is nil if
// the stream goes to a file directly. If the user gave one writer for both streams, both
// sinks are the same.
type Sinks struct{ out, err *sink }

func NewSinks(o Options, lines bool) (s Sinks) {
	if o.Stdout != nil && !isFile(o.Stdout) {
		s.out = &sink{w: o.Stdout, lines: lines}
	}
	if o.Stderr != nil && !isFile(o.Stderr) {
		s.err = &sink{w: o.Stderr, lines: lines}
		if s.out != nil && sameWriter(o.Stdout, o.Stderr) {
			s.err = s.out
		}
	}
	return s
}

func isFile(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && f != nil
}

// sameWriter reports whether a and b are the same writer. Writers whose types are not
// comparable count as different.
func sameWriter(a, b io.Writer) bool {
	t := reflect.TypeOf(a)
	return t == reflect.TypeOf(b) && t.Comparable() && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

func (s *sink) write(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || len(b) == 0 {
		return
	}
	err := failure.Isolate(func() error {
		n, err := s.w.Write(b)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		return err
	})
	if err != nil {
		s.err = failure.Wrap("cannot write a child's output", err)
	}
}

func (s *sink) failure() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Failure returns the first error of the user's writers, or nil.
func (s Sinks) Failure() error {
	if err := s.out.failure(); err != nil {
		return err
	}
	return s.err.failure()
}

// maxLine is how many bytes of an unfinished line are kept back at most.
const maxLine = 64 << 10

// copyFrom copies r to the writer. After a write has failed it goes on reading, so that
// no child blocks.
func (s *sink) copyFrom(r io.Reader) {
	buf := make([]byte, 32<<10)
	var begun []byte // the unfinished line
	for {
		n, err := r.Read(buf)
		b := buf[:n]
		if s.lines {
			begun = append(begun, b...)
			b = begun[:bytes.LastIndexByte(begun, '\n')+1]
			if err != nil || len(begun)-len(b) > maxLine {
				b = begun
			}
		}
		s.write(b)
		if s.lines {
			begun = append(begun[:0], begun[len(b):]...)
		}
		if err != nil {
			return
		}
	}
}

// An outlet is a pipe from a child's stream to a sink.
type outlet struct {
	to   *sink
	pipe pipe
	from *drain
	done chan struct{}
}

func newOutlet(to *sink) (*outlet, error) {
	p, err := newPipe()
	if err != nil {
		return nil, err
	}
	return &outlet{to: to, pipe: p, from: &drain{f: p.r}, done: make(chan struct{})}, nil
}

// start starts the copying. The child must have its end of the pipe already.
func (o *outlet) start() {
	o.pipe.w.Close()
	go func() {
		defer close(o.done)
		defer o.pipe.r.Close()
		o.to.copyFrom(o.from)
	}()
}
