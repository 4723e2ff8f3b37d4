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

// A drain reads the parent's end of a pipe from a child: until its end, or,
// after the child is gone, what is in the pipe. Other processes may still hold
// the other end then.
type drain struct {
	f     *os.File
	ended bool // the child is gone
}

// childGone makes reads that wait, and those that begin, go on as after the end.
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

// A sink is a user's writer that several children share: they write one after
// the other, those of a pool whole lines.
type sink struct {
	mu    sync.Mutex
	w     io.Writer
	lines bool
	err   error // of the first write that failed; nothing is written after it
}

// Sinks are where a child's standard streams go: to a file directly, else
// through a sink. The two are the same one if the user gave the same writer.
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

// sameWriter compares two writers, whose types may not be comparable.
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

// Failure is the error of the user's writers.
func (s Sinks) Failure() error {
	if err := s.out.failure(); err != nil {
		return err
	}
	return s.err.failure()
}

// maxLine bounds how much of a line is kept back until it is whole.
const maxLine = 64 << 10

// copyFrom writes what r yields. It goes on reading after a write has failed,
// so that no child waits for ever.
func (s *sink) copyFrom(r io.Reader) {
	buf := make([]byte, 32<<10)
	var begun []byte // of a line
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

// An outlet is one pipe from a child to a sink.
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

// start begins to copy, when the child has its end.
func (o *outlet) start() {
	o.pipe.w.Close()
	go func() {
		defer close(o.done)
		defer o.pipe.r.Close()
		o.to.copyFrom(o.from)
	}()
}
