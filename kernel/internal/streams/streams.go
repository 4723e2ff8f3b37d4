// Package streams restores os.Stdout and os.Stderr when a cell ends.
//
// Cells may close these files, and may set the variables to other files. This also affects later cells: their output
// would be lost without a message. So when a cell ends, Restore restores a stream whose output cannot be read. If the
// cell has failed, Restore also restores a stream that the cell has redirected.
//
// Closing os.Stdout or os.Stderr does not close descriptors 1 and 2, since another file would get their numbers. If a
// cell closes a descriptor in another way, as by syscall.Close(1), Restore opens it again.
package streams

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"golang.org/x/sys/unix"
)

// A stream is os.Stdout or os.Stderr.
type stream struct {
	name    string
	at      **os.File   // the variable
	initial *os.File    // its value when Hook was called
	closed  atomic.Bool // a cell has closed initial
	before  *os.File    // its value when the cell began

	descriptor int
	kept       duplicate // of descriptor
}

// A duplicate is a descriptor of the same file as another one, and the identity of the file.
type duplicate struct {
	fd   int // 0 if there is none
	file unix.Stat_t
}

// firstDuplicate is the smallest number of a duplicate. Files that cells open usually have smaller numbers.
const firstDuplicate = 48

// streams is a package variable, as os.Stdout and os.Stderr are.
var streams [2]stream

// closeFile is the original (*os.file).close.
var closeFile func(f unsafe.Pointer) error

// Hook replaces the function that closes a file. If a cell closes a standard stream, the stream is closed only for
// that cell. Hook is called once, before any cell runs.
func Hook(rt *goruntime.Runtime) {
	streams[0].name, streams[0].at, streams[0].initial, streams[0].descriptor = "os.Stdout", &os.Stdout, os.Stdout, 1
	streams[1].name, streams[1].at, streams[1].initial, streams[1].descriptor = "os.Stderr", &os.Stderr, os.Stderr, 2
	var err error
	if closeFile, err = goruntime.Original[func(unsafe.Pointer) error](rt, "os.(*file).close"); err == nil {
		_, err = goruntime.Hook(rt, "os.(*file).close", fileClose)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: a cell that closes os.Stdout closes it for all cells, since os.Stdout cannot be protected:", err)
	}
}

// fileClose replaces (*os.file).close, which (*os.File).Close calls. A hook of (*os.File).Close would have little
// effect, since most calls of it are inlined.
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

// Closed returns the error for a write to f if f is a closed standard stream, else nil.
func Closed(f *os.File) error {
	for i := range streams {
		if s := &streams[i]; f == s.initial && s.closed.Load() {
			return &os.PathError{Op: "write", Path: f.Name(), Err: os.ErrClosed}
		}
	}
	return nil
}

// Begin records the streams when a cell begins.
func Begin() {
	for i := range streams {
		streams[i].before = *streams[i].at
		streams[i].reopen() // a goroutine may have closed it since the last cell
		streams[i].keep()
	}
}

// keep makes a duplicate of the descriptor, unless there is one of the same file.
func (s *stream) keep() {
	var now unix.Stat_t
	if unix.Fstat(s.descriptor, &now) != nil || s.kept.isOf(&now) {
		return
	}
	if s.kept.isOf(&s.kept.file) {
		_ = unix.Close(s.kept.fd)
	}
	s.kept = duplicate{}
	if fd, err := unix.FcntlInt(uintptr(s.descriptor), unix.F_DUPFD_CLOEXEC, firstDuplicate); err == nil {
		s.kept = duplicate{fd, now}
	}
}

// isOf reports whether d is a descriptor of a file. Cells may have closed it.
func (d *duplicate) isOf(file *unix.Stat_t) bool {
	var now unix.Stat_t
	return d.fd > 0 && unix.Fstat(d.fd, &now) == nil && now.Dev == file.Dev && now.Ino == file.Ino
}

// reopen opens the descriptor again if it is closed, and reports whether it has done so.
func (s *stream) reopen() bool {
	if _, err := unix.FcntlInt(uintptr(s.descriptor), unix.F_GETFD, 0); err != unix.EBADF {
		return false
	}
	return s.kept.isOf(&s.kept.file) && unix.Dup3(s.kept.fd, s.descriptor, 0) == nil
}

// Restore restores the streams at the end of a cell. failed says whether the cell has failed. Restore returns the
// texts of notices for the user.
func Restore(failed bool) []string {
	var notices []string
	for i := range streams {
		s := &streams[i]
		if s.reopen() {
			notices = append(notices, fmt.Sprintf("file descriptor %d, which %s uses, was closed; it is open again", s.descriptor, s.name))
		}
		if text := s.restore(failed); text != "" {
			notices = append(notices, text)
		}
	}
	return notices
}

// restore restores the stream if necessary. It returns the text of a notice, or "".
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

// unreadable returns the reason why output to f cannot be read, or "" if it can.
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
