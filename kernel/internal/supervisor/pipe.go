package supervisor

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"golang.org/x/sys/unix"
)

// A pipe is the kernel's end of a pipe to which the worker process or its children write.
type pipe struct {
	name     string // name of the stream
	decoder  sinks.Decoder
	f        *os.File
	raw      syscall.RawConn
	fd       int
	proceed  chan bool   // tells the watcher whether to watch for more
	owner    output.Sink // the output in which its content is shown; nil for that of the running cell
	isClosed bool        // every writer has closed it
}

const (
	pipeSize = 1 << 20 // size of the operating system's buffer of a pipe; a smaller one costs time
	// Sizes of the memory into which pipes are read. It grows when text fills it.
	minRead = 16 << 10
	maxRead = 256 << 10

	// maxPipes is the maximum number of pipes. When children of earlier cells hold so
	// many, the worker process keeps its present pipes for further cells.
	maxPipes = 128
)

// newPipe returns a pipe that reads from r. After an error r is closed.
func newPipe(name string, r *os.File) (*pipe, error) {
	p := &pipe{name: name, f: r, proceed: make(chan bool, 1)}
	var err error
	if p.raw, err = r.SyscallConn(); err == nil {
		err = p.raw.Control(func(fd uintptr) {
			p.fd = int(fd)
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize)
		})
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return p, nil
}

// watch sends the pipe to readable when it can be read, until stopped is closed.
func (p *pipe) watch(readable chan<- *pipe, stopped <-chan struct{}) {
	for {
		err := p.raw.Read(func(fd uintptr) bool {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(fds, 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
		if err != nil {
			return // closed
		}
		select {
		case readable <- p:
		case <-stopped:
			return
		}
		select {
		case more := <-p.proceed:
			if !more {
				return
			}
		case <-stopped:
			return
		}
	}
}

// read reads the next bytes into buf. It returns them and reports whether more may come.
func (p *pipe) read(buf []byte) (b []byte, more bool) {
	if p.isClosed {
		return nil, false
	}
	n, err := unix.Read(p.fd, buf)
	if n > 0 {
		return buf[:n], true
	}
	if err == nil {
		p.isClosed = true
		return nil, false
	}
	return nil, errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
}

// buffered returns how many bytes can be read now.
func (p *pipe) buffered() int {
	n, err := unix.IoctlGetInt(p.fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// A deadlineWriter is a file on which a write fails if it blocks longer than timeout.
type deadlineWriter struct {
	*os.File
	timeout time.Duration
}

func (w deadlineWriter) Write(b []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	return w.File.Write(b)
}
