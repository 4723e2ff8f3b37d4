package worker

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"golang.org/x/sys/unix"
)

// Child processes keep the output pipes that they were started with. If a cell has
// started processes, the kernel gives the next cell new pipes, so that text that the
// processes print later is shown in the cell that started them.

// An outputPipes records which other processes have the current output pipes.
type outputPipes struct {
	mu     sync.Mutex    // guards the fields below
	held   bool          // programs that cells have started may have the pipes
	shared []*os.Process // processes of package mp with the pipes; they work for all cells
}

// childPath is the path with which processes of package mp are started.
const childPath = "/proc/self/exe"

func (o *outputPipes) started(p *os.Process, name string, files []*os.File) {
	if !slices.ContainsFunc(files, func(f *os.File) bool { return f != nil && (f == standard.out || f == standard.err) }) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if name == childPath {
		o.prune()
		o.shared = append(o.shared, p)
	} else {
		o.held = true
	}
}

// prune removes from shared the processes that have ended.
func (o *outputPipes) prune() {
	o.shared = slices.DeleteFunc(o.shared, func(p *os.Process) bool { return p.Signal(syscall.Signal(0)) != nil })
}

// change makes the named pipes this process's standard output and error, and reports whether it has.
func (o *outputPipes) change(paths []string) bool {
	if len(paths) != 2 {
		return false
	}
	var fds [2]int
	for i, path := range paths {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return false
		}
		defer unix.Close(fd)
		fds[i] = fd
	}
	for i, fd := range fds {
		if unix.Dup3(fd, i+1, 0) != nil {
			return false
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held, o.shared = false, nil
	return true
}

// mark adds to the message for the end of a cell whether other processes have the pipes.
func (o *outputPipes) mark(m control.Done) control.Done {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.prune()
	m.ProgramsHoldPipes, m.ChildrenHoldPipes = o.held, len(o.shared) > 0
	return m
}

// standard holds the streams that cells print to, and the original functions that the hooks replace.
var standard struct {
	out, err *os.File
	write    func(f *os.File, b []byte) (int, error)
	after    func(d time.Duration, f func()) *time.Timer
	start    func(name string, argv []string, attr *os.ProcAttr) (*os.Process, error)
}
