package compiler

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// A report tells when a compiler process has written its object, or has failed. The compiler's flag -bench has it open a file, and write a table of times to
// it, as its last action: after it has closed the object, and only if there was no error.
//
// The file is a FIFO without a name whose buffer is full, and the kernel is told when a process opens it. So the kernel learns of the object
// before the table is made, and the process does not end before release: the operating system would need
// more than a millisecond of a core to release its memory, in which the cell shall run.
type report struct {
	fifo   *os.File // the kernel's end
	events *events  // nil for a pipe, which a process that ends closes; the process then ends at once
	watch  int32
}

const (
	reportOpened = unix.IN_OPEN
	reportClosed = unix.IN_CLOSE_WRITE // the process has closed the file that it was started with: it has ended
)

// newReport makes a report, and the file for the process, which the caller closes when the process has been started. It may make a file
// in dir, which it removes. If there can be no FIFO or no further watch, or ev is nil, the report is a pipe.
func newReport(dir string, ev *events) (*report, *os.File, error) {
	if ev != nil {
		if r, file, err := newFIFOReport(dir, ev); err == nil {
			return r, file, nil
		}
	}
	r, w, err := os.Pipe()
	return &report{fifo: r}, w, err
}

func newFIFOReport(dir string, ev *events) (r *report, file *os.File, err error) {
	path := filepath.Join(dir, fmt.Sprintf("report%d", ev.next()))
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return nil, nil, err
	}
	defer os.Remove(path)
	r = &report{events: ev}
	if r.fifo, err = os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0); err != nil {
		return nil, nil, err
	}
	if err := r.fill(); err != nil {
		r.fifo.Close()
		return nil, nil, err
	}
	if file, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
		r.fifo.Close()
		return nil, nil, err
	}
	if r.watch, err = ev.add(path, reportOpened|reportClosed); err != nil {
		file.Close()
		r.fifo.Close()
		return nil, nil, err
	}
	return r, file, nil
}

// fill makes the buffer small and fills it.
func (r *report) fill() error {
	raw, err := r.fifo.SyscallConn()
	if err != nil {
		return err
	}
	var full error
	err = raw.Control(func(fd uintptr) {
		_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, os.Getpagesize()) // if it fails, more is written
		for full == nil {
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
		n, _ := r.fifo.Read(make([]byte, 4096)) // 0 if the pipe is closed
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
	r.fifo.Close()
}

// An events receives the events of the files of reports.
type events struct {
	mu     sync.Mutex       // guards the fields below
	f      *os.File         // nil before the first file
	masks  map[int32]uint32 // what has happened to each file
	serial int
}

func (e *events) next() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serial++
	return e.serial
}

func (e *events) add(path string, mask uint32) (watch int32, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.f == nil {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		if err != nil {
			return 0, err
		}
		e.f, e.masks = os.NewFile(uintptr(fd), "inotify"), map[int32]uint32{}
	}
	raw, err := e.f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int
	if cerr := raw.Control(func(fd uintptr) { n, err = unix.InotifyAddWatch(int(fd), path, mask) }); cerr != nil {
		err = cerr
	}
	if err == nil {
		e.masks[int32(n)] = 0
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
