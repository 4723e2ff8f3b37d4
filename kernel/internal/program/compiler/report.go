package compiler

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A report tells when a compiler process has written its object, or has failed. The compiler's flag -bench has it open a file, and write a table of times to
// it, as its last action: after it has closed the object, and only if there was no error.
//
// The file is a pipe whose buffer is full, and the kernel is told when a process opens it. So the kernel learns of the object
// before the table is made, and the process does not end before release: the operating system would need
// more than a millisecond of a core to release its memory, in which the cell shall run. If the kernel ends, nothing
// reads the pipe, so the process gets an error when it writes, and ends.
type report struct {
	pipe   *os.File // the kernel's end
	events *events  // nil if the system cannot tell of the open; the process then writes to the pipe and ends at once
	watch  int32
}

const (
	reportOpened = unix.IN_OPEN
	reportClosed = unix.IN_CLOSE_WRITE // the process has closed the file that it was started with: it has ended
)

// newReport makes a report, and the file for the process, which the caller closes when the process has been started.
// The kernel is not told of the open if there can be no further watch, or if ev is nil.
func newReport(ev *events) (*report, *os.File, error) {
	if ev != nil {
		if r, file, err := newWatchedReport(ev); err == nil {
			return r, file, nil
		}
	}
	r, w, err := os.Pipe()
	return &report{pipe: r}, w, err
}

func newWatchedReport(ev *events) (r *report, file *os.File, err error) {
	pipe, file, err := fullPipe()
	if err != nil {
		return nil, nil, err
	}
	r = &report{pipe: pipe, events: ev}
	if r.watch, err = ev.add(file, reportOpened|reportClosed); err != nil {
		file.Close()
		pipe.Close()
		return nil, nil, err
	}
	return r, file, nil
}

// fullPipe returns the ends of a pipe with a small buffer, which is full.
func fullPipe() (r, w *os.File, err error) {
	r, first, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer first.Close()
	if err = fill(first); err == nil {
		w, err = os.OpenFile(descriptorPath(first), os.O_WRONLY, 0) // the system reports nothing of the first end, which has no path
	}
	if err != nil {
		r.Close()
	}
	return r, w, err
}

// descriptorPath returns a path that opens the same file.
func descriptorPath(f *os.File) (path string) {
	if raw, err := f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { path = fmt.Sprintf("/proc/self/fd/%d", fd) })
	}
	return path
}

// fill makes the buffer of a pipe small and fills it.
func fill(w *os.File) error {
	raw, err := w.SyscallConn()
	if err != nil {
		return err
	}
	var full error
	err = raw.Control(func(fd uintptr) {
		_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, os.Getpagesize()) // if it fails, more is written
		for full = unix.SetNonblock(int(fd), true); full == nil; {
			_, full = unix.Write(int(fd), make([]byte, os.Getpagesize()))
		}
	})
	if err == nil && full != unix.EAGAIN {
		err = full
	}
	return err
}

// wait waits until the process has written its object or has ended. It reports whether there is an object.
func (r *report) wait() (bool, error) {
	if r.events == nil {
		n, _ := r.pipe.Read(make([]byte, 4096)) // 0 if the pipe is closed
		return n > 0, nil
	}
	mask, err := r.events.wait(r.watch)
	return mask&reportOpened != 0, err
}

// release lets the process end: it gets an error when it writes, which nothing uses.
func (r *report) release() {
	if r.events != nil {
		r.events.forget(r.watch)
	}
	r.pipe.Close()
}

// An events receives the events of the files of reports.
type events struct {
	mu    sync.Mutex       // guards the fields below
	f     *os.File         // nil before the first file
	err   error            // why there is no f
	masks map[int32]uint32 // what has happened to each file
}

// add watches a file.
func (e *events) add(file *os.File, mask uint32) (watch int32, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.f == nil && e.err == nil {
		e.f, e.err = startEvents()
		e.masks = map[int32]uint32{}
	}
	if e.err != nil {
		return 0, e.err
	}
	if watch, err = addWatch(e.f, file, mask); err == nil {
		e.masks[watch] = 0
	}
	return watch, err
}

// startEvents returns a file of events. It fails if the system does not report that a pipe is opened and closed.
func startEvents() (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "inotify")
	if err := probe(f, fd); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// probe opens and closes a pipe, and checks that the system reports both.
func probe(f *os.File, fd int) error {
	r, w, err := fullPipe()
	if err != nil {
		return err
	}
	defer r.Close()
	for _, mask := range []uint32{reportOpened, reportClosed} {
		if _, err := addWatch(f, w, mask); err != nil {
			w.Close()
			return err
		}
		if mask == reportClosed {
			w.Close()
		} else if again, err := os.OpenFile(descriptorPath(w), os.O_WRONLY, 0); err != nil {
			w.Close()
			return err
		} else {
			defer again.Close()
		}
		b := make([]byte, unix.SizeofInotifyEvent)
		if n, err := unix.Read(fd, b); err != nil || n != len(b) || binary.NativeEndian.Uint32(b[4:]) != mask {
			w.Close()
			return fmt.Errorf("cannot watch the pipe of the compiler's report: the system does not report event %#x (error: %v)", mask, err)
		}
	}
	return nil
}

func addWatch(f, file *os.File, mask uint32) (watch int32, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int
	if cerr := raw.Control(func(fd uintptr) { n, err = unix.InotifyAddWatch(int(fd), descriptorPath(file), mask) }); cerr != nil {
		err = cerr
	}
	return int32(n), err
}

// wait waits for an event of a file. It must not be called concurrently.
func (e *events) wait(watch int32) (mask uint32, err error) {
	b := make([]byte, 4096)
	for {
		e.mu.Lock()
		f, mask := e.f, e.masks[watch]
		if mask != 0 {
			delete(e.masks, watch)
		}
		e.mu.Unlock()
		if mask != 0 {
			return mask, nil
		}
		n, err := f.Read(b)
		if err != nil {
			return 0, err
		}
		e.note(b[:n])
	}
}

// note records events as the system writes them: the watch, the mask, a number, the length of a name, and the name.
func (e *events) note(b []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(b) >= unix.SizeofInotifyEvent {
		watch, mask := int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:])
		if _, ok := e.masks[watch]; ok {
			e.masks[watch] |= mask
		}
		if mask&unix.IN_Q_OVERFLOW != 0 { // events are lost
			for w := range e.masks {
				e.masks[w] |= mask
			}
		}
		b = b[min(len(b), unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:]))):]
	}
}

// forget ends the watch of a file.
func (e *events) forget(watch int32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.masks, watch)
	if raw, err := e.f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _, _ = unix.InotifyRmWatch(int(fd), uint32(watch)) }) // fails if the file is gone
	}
}
