package mp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A child is the parent's end of a child process.
type child struct {
	host    Host
	conn    *conn
	frames  *bufio.Reader
	pipe    *os.File // under frames
	crash   *os.File // the ledger, then what the child's runtime prints when it crashes; may be nil
	cmd     *exec.Cmd
	pid     int
	grace   time.Duration
	refused error // why the host would not let it have its function
	version int   // of Host.Update that the child has
	updated bool  // it was sent one

	mu     sync.Mutex
	exited bool // the process was reaped: its id may mean another by now
	ending bool // terminate was called

	context bool          // its function takes a context
	ordered chan struct{} // closed when the child was sent its function
	gone    chan struct{} // closed when the process was reaped
}

// How much the pipes of a pool's workers hold, each and together, in bytes: a
// batch passes with few wake-ups. Linux takes the memory as it is needed, but
// counts what might be, and gives a user's later pipes less beyond 64 MB.
const (
	maxPipeRoom  = 1 << 20
	poolPipeRoom = 16 << 20
)

// spawn starts a child process that waits for functions.
func spawn(h Host, o options) (*child, error) {
	cmd, err := h.Command()
	if err != nil {
		return nil, err
	}
	toChild, err := newPipe()
	if err != nil {
		return nil, err
	}
	fromChild, err := newPipe()
	if err != nil {
		toChild.close()
		return nil, err
	}
	if o.workers > 0 {
		room := min(maxPipeRoom, poolPipeRoom/(2*o.workers))
		widen(toChild.w, room)
		widen(fromChild.w, room)
	}
	crash, err := crashFile()
	if err != nil {
		toChild.close()
		fromChild.close()
		return nil, err
	}
	prepare(cmd, o, toChild.r, fromChild.w, crash)
	if err := cmd.Start(); err != nil {
		toChild.close()
		fromChild.close()
		crash.Close()
		return nil, within("cannot start a child process", err)
	}
	toChild.r.Close()
	fromChild.w.Close()
	return &child{
		host: h, conn: &conn{w: toChild.w}, pipe: fromChild.r, frames: bufio.NewReaderSize(fromChild.r, 64<<10),
		crash: crash, cmd: cmd, pid: cmd.Process.Pid, grace: o.grace,
		ordered: make(chan struct{}), gone: make(chan struct{}),
	}, nil
}

// prepare completes a Host's command: files, environment, streams, group.
func prepare(cmd *exec.Cmd, o options, in, out, crash *os.File) {
	first := 3 + len(cmd.ExtraFiles)
	cmd.ExtraFiles = append(cmd.ExtraFiles, in, out)
	if crash != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, crash)
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, o.env...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d,%d", marker, first, len(cmd.ExtraFiles)+3-first))
	switch {
	case o.stdout != nil:
		cmd.Stdout = o.stdout
	case cmd.Stdout == nil:
		cmd.Stdout = os.Stdout
	}
	switch {
	case o.stderr != nil:
		cmd.Stderr = o.stderr
	case cmd.Stderr == nil:
		cmd.Stderr = os.Stderr
	}
	cmd.WaitDelay = o.grace + time.Second
	setGroup(cmd)
}

// close frees what the parent holds of a child that was reaped.
func (c *child) close() *ExitError {
	c.conn.w.Close()
	c.pipe.Close()
	exit := c.exitError()
	if c.crash != nil {
		c.crash.Close()
	}
	return exit
}

// reap waits for the process. Whatever else holds the child's end of the pipe
// may keep it open for a moment at most.
func (c *child) reap() {
	_ = c.cmd.Wait() // its error is in ProcessState, which exitError reads
	c.mu.Lock()
	c.exited = true
	c.mu.Unlock()
	close(c.gone)
	c.pipe.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
}

func (c *child) exitError() *ExitError {
	e := &ExitError{PID: c.pid, Code: c.cmd.ProcessState.ExitCode(), Signal: signalOf(c.cmd.ProcessState)}
	if c.crash != nil && (e.Code == 2 || e.Signal != 0) {
		e.Crash = readCrash(c.crash)
	}
	return e
}

// maxCrash bounds how much of a crash's report is kept, in bytes.
const maxCrash = 64 << 10

func readCrash(f *os.File) string {
	b, err := io.ReadAll(io.NewSectionReader(f, ledgerSize, maxCrash))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func exitCode(e *ExitError) int {
	if e.Signal != 0 {
		return -int(e.Signal)
	}
	return e.Code
}

func (c *child) cancelTask() { c.cancelOne(1, 0) }

func (c *child) cancelOne(batch uint64, i int) {
	_ = c.conn.send(frame{kind: frameCancel, id: batch, body: binary.LittleEndian.AppendUint32(nil, uint32(i))})
}

// terminate cancels the function's context and kills the child after its grace.
func (c *child) terminate() {
	c.mu.Lock()
	again := c.ending
	c.ending = true
	c.mu.Unlock()
	if again {
		return
	}
	time.AfterFunc(c.grace, func() { _ = c.kill() })
	go func() {
		<-c.ordered
		if c.context {
			c.cancelTask()
		} else {
			_ = c.signal(syscall.SIGTERM)
		}
	}()
}

func (c *child) signal(sig os.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exited {
		return os.ErrProcessDone
	}
	return c.cmd.Process.Signal(sig)
}

func (c *child) kill() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exited {
		return os.ErrProcessDone
	}
	return killGroup(c.cmd.Process)
}

type pipe struct{ r, w *os.File }

func newPipe() (pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return pipe{}, fmt.Errorf("mp: cannot make a pipe to a child: %w", err)
	}
	return pipe{r, w}, nil
}

func (p pipe) close() {
	p.r.Close()
	p.w.Close()
}
