package supervisor

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"golang.org/x/sys/unix"
)

const (
	// startTimeout is how long a new worker process may take to report that it is ready.
	startTimeout = 30 * time.Second
	// sendTimeout is how long a worker process may leave the control socket unread. The goroutine that reads the socket
	// does nothing else, so a full socket means that the process is stopped or hostile.
	sendTimeout = 10 * time.Second
	// replyTimeout is how long a write to an extension may block. The goroutine that reads it may have ended or be
	// blocked.
	replyTimeout = 100 * time.Millisecond
)

// Start starts a worker process and waits until it takes requests. If ctx ends first, Start ends the process and
// returns an error.
func Start(ctx context.Context, opt Options) (*Worker, error) {
	w := newWorker(opt)
	workerEnds, err := w.connect(opt.Extension)
	if err == nil {
		err = w.cmd.Start()
	}
	// The worker process's ends must be open only in that process: when they close, the kernel knows that the process
	// has ended.
	for _, f := range workerEnds {
		f.Close()
	}
	if err != nil {
		w.disconnect()
		return nil, err
	}
	go w.pump()
	go (&memoryWatch{w: w, root: os.DirFS("/")}).run()
	select {
	case err := <-w.ready:
		return w, err
	case <-w.ended:
		return nil, fmt.Errorf("the process ended at once: %s", w.Cause())
	case <-ctx.Done():
		w.Kill()
		return nil, ctx.Err()
	case <-time.After(startTimeout):
		w.Kill()
		return nil, fmt.Errorf("the process did not answer within %v", startTimeout)
	}
}

func newWorker(opt Options) *Worker {
	w := &Worker{
		cmd: command(opt), log: opt.Log,
		ready: make(chan error, 1), ended: make(chan struct{}),
		secondInterrupt: make(chan struct{}, 1), killReason: make(chan error),
		readable: make(chan *pipe), stopped: make(chan struct{}), pipeDir: opt.PipeDir,
		style: opt.Style, compiler: opt.Compiler, onPendingStops: opt.OnPendingStops,
		oomKills: oomKills(os.DirFS("/")), interruptTimer: time.NewTimer(time.Hour),
		ctx: context.Background(),
	}
	w.memoryLimit.Store(&opt.Limit)
	w.interruptTimer.Stop()
	return w
}

// command returns the command that starts the worker process, without its sockets and pipes.
func command(opt Options) *exec.Cmd {
	cmd := exec.Command(opt.Command[0], opt.Command[1:]...)
	if opt.Limit.Bytes > 0 && len(opt.Command) > 1 { // else it is a standalone program
		cmd.Args = append(cmd.Args, control.MemoryFlag+strconv.FormatInt(opt.Limit.Bytes, 10))
	}
	cmd.Dir = opt.Dir
	cmd.Env = append(os.Environ(), opt.Env...)
	// The worker process has its own process group, so that a terminal's Ctrl-C reaches only the kernel, and the whole
	// group can be killed at once.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// connect makes the sockets and pipes between the kernel and the worker process, and returns the worker process's ends,
// even if there is an error.
func (w *Worker) connect(extension func(*Worker, io.Writer) Extension) (workerEnds []*os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	// The kernel's end is non-blocking, so that it is read through the runtime's poller. A
	// thread that blocks in read can delay other goroutines for milliseconds.
	err = unix.SetNonblock(pair[0], true)
	w.socket = os.NewFile(uintptr(pair[0]), "control")
	w.conn = control.New(deadlineWriter{w.socket, sendTimeout})
	workerEnds = append(workerEnds, os.NewFile(uintptr(pair[1]), "control"))
	if err != nil {
		return workerEnds, err
	}
	if extension != nil {
		ends, err := w.connectExtension(extension)
		if err != nil {
			return workerEnds, err
		}
		workerEnds = append(workerEnds, ends...)
	}
	w.cmd.ExtraFiles = slices.Clone(workerEnds)
	var writers [2]*os.File
	for i, name := range streamNames {
		r, writer, err := os.Pipe()
		if err != nil {
			return workerEnds, err
		}
		writers[i] = writer
		workerEnds = append(workerEnds, writer)
		if w.pipes[i], err = newPipe(name, r); err != nil {
			return workerEnds, err
		}
	}
	w.cmd.Stdout, w.cmd.Stderr = writers[0], writers[1]
	return workerEnds, nil
}

// connectExtension makes the extension's pipes and returns the worker process's ends, in the order of their file
// descriptors. If it fails, it closes all of them.
func (w *Worker) connectExtension(extension func(*Worker, io.Writer) Extension) (workerEnds []*os.File, err error) {
	fromCells, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	read, reply, err := os.Pipe()
	if err != nil {
		fromCells.Close()
		write.Close()
		return nil, err
	}
	if w.extPipe, err = newPipe("extension", fromCells); err != nil {
		for _, f := range []*os.File{write, read, reply} {
			f.Close()
		}
		return nil, err
	}
	w.extReply = reply
	w.extension = extension(w, deadlineWriter{reply, replyTimeout})
	return []*os.File{write, read}, nil
}

// disconnect closes the kernel's ends of the sockets and pipes that connect has made.
func (w *Worker) disconnect() {
	if w.socket != nil {
		w.socket.Close()
	}
	if w.extension != nil {
		w.extension.Close()
		w.extReply.Close()
		w.extPipe.f.Close()
	}
	for _, p := range w.pipes {
		if p != nil {
			p.f.Close()
		}
	}
}
