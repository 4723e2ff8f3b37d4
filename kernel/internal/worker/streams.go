package worker

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"golang.org/x/sys/unix"
)

// Cells may close os.Stdout and os.Stderr, and put other files in their places,
// for the cells that follow too. A program that did so and failed would end; a
// notebook goes on, and would lose what it prints without a word. So when a cell
// ends, a stream that nobody can see is put right, and so is one that a cell
// has redirected which then failed.
//
// The process's own descriptors are never closed: another file would get their
// numbers.

// A stream is one of the two.
type stream struct {
	name    string
	at      **os.File // the variable
	initial *os.File  // what it is when the worker starts
	closed  atomic.Bool
	before  *os.File // what it was when the cell began
}

// streams are the same for the whole process, as the variables are.
var streams [2]stream

// closeFile is what (*os.file).close did.
var closeFile func(f unsafe.Pointer) error

func (w *worker) hookClose() {
	streams[0].name, streams[0].at, streams[0].initial = "os.Stdout", &os.Stdout, os.Stdout
	streams[1].name, streams[1].at, streams[1].initial = "os.Stderr", &os.Stderr, os.Stderr
	var err error
	if closeFile, err = goruntime.Original[func(unsafe.Pointer) error](w.runtime, "os.(*file).close"); err == nil {
		_, err = goruntime.Hook(w.runtime, "os.(*file).close", fileClose)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: a cell that closes os.Stdout closes it for all others:", err)
	}
}

// fileClose replaces (*os.file).close, which (*os.File).Close calls: that is
// mostly inlined.
func fileClose(f unsafe.Pointer) error {
	for i := range streams {
		s := &streams[i]
		if f == nil || f != *(*unsafe.Pointer)(unsafe.Pointer(s.initial)) {
			continue
		}
		if s.closed.Swap(true) {
			return &os.PathError{Op: "close", Path: s.initial.Name(), Err: os.ErrClosed}
		}
		return nil
	}
	return closeFile(f)
}

// streamClosed is the error of writing to a standard stream that is closed.
func streamClosed(f *os.File) error {
	for i := range streams {
		if s := &streams[i]; f == s.initial && s.closed.Load() {
			return &os.PathError{Op: "write", Path: f.Name(), Err: os.ErrClosed}
		}
	}
	return nil
}

func rememberStreams() {
	for i := range streams {
		streams[i].before = *streams[i].at
	}
}

// restoreStreams looks at the streams at a cell's end.
func (w *worker) restoreStreams(o control.Outcome) {
	for i := range streams {
		if text := streams[i].restore(o.How != control.Returned); text != "" {
			w.notice(text)
		}
	}
}

// restore puts the stream right, if need be, and says so.
func (s *stream) restore(failed bool) string {
	now, closed := *s.at, s.closed.Swap(false)
	if now == s.initial {
		if closed {
			return s.name + " was closed; it is open again"
		}
		return ""
	}
	fault := unreadable(now)
	switch {
	case fault != "":
	case failed && now != s.before:
		fault = "was redirected by this cell, which failed"
	default:
		return ""
	}
	*s.at = s.initial
	if s.before == s.initial || unreadable(s.before) != "" {
		return s.name + " " + fault + "; it is the notebook's output again"
	}
	*s.at = s.before
	return s.name + " " + fault + "; it is again the file that it was before"
}

// unreadable says why what is written to f cannot be read, "" if it may be.
func unreadable(f *os.File) string {
	if f == nil {
		return "was nil"
	}
	conn, err := f.SyscallConn()
	broken := false
	if err == nil {
		err = conn.Control(func(fd uintptr) {
			list := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			n, err := unix.Poll(list, 0)
			broken = err == nil && n > 0 && list[0].Revents&unix.POLLERR != 0
		})
	}
	switch {
	case err != nil:
		return "was a file that is closed"
	case broken:
		return "was a pipe without a reader"
	}
	return ""
}
