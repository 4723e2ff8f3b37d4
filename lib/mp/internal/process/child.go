// Package process starts child processes, sends them functions to run, and receives the
// outcomes.
package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Child is a child process, as its parent sees it.
type Child struct {
	host    mphost.Host
	Conn    *protocol.FrameWriter
	frames  *bufio.Reader
	results *drain   // the pipe from which frames reads
	Crash   *os.File // file with the BudgetPage, followed by the Go runtime's report if the child crashes; may be nil
	cmd     *exec.Cmd
	outlets []*outlet // pipes from its standard streams to users' writers
	PID     int
	grace   time.Duration
	refused error   // why the host did not provide an update
	version int     // the version of Host.Update that the child has
	updated bool    // an update was sent to it
	traced  string  // the folder into which it was last told to record a trace
	profile *string // the folder into which it was last told to write a profile

	mu     sync.Mutex
	exited bool  // the process was reaped: its id may belong to another by now
	ending bool  // Terminate was called
	cause  error // why this process killed it; see KillFor

	TakesContext bool          // whether the child's function takes a context
	ordered      chan struct{} // closed when the function was sent to the child
	Gone         chan struct{} // closed when the process has been reaped
}

// The size in bytes of the pipes of a pool's workers, of each and of all together.
// Large pipes pass a batch with few wake-ups. Linux allocates their memory as needed,
// but counts their full size, and makes later pipes of the user smaller when all have
// more than 64 MB.
const (
	maxPipeRoom  = 1 << 20
	poolPipeRoom = 16 << 20
)

// Spawn starts a child process that waits for functions.
func Spawn(h mphost.Host, o Options, to Sinks) (*Child, error) {
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
	if o.Workers > 0 {
		room := min(maxPipeRoom, poolPipeRoom/(2*o.Workers))
		widen(toChild.w, room)
		widen(fromChild.w, room)
	}
	crash, err := crashFile()
	if err != nil {
		toChild.close()
		fromChild.close()
		return nil, err
	}
	c := &Child{
		host: h, Conn: &protocol.FrameWriter{W: toChild.w}, results: &drain{f: fromChild.r},
		Crash: crash, cmd: cmd, grace: o.Grace, ordered: make(chan struct{}), Gone: make(chan struct{}),
	}
	c.frames = bufio.NewReaderSize(c.results, 64<<10)
	prepare(cmd, o, toChild.r, fromChild.w, crash)
	if err = c.connect(o, to); err == nil {
		err = failure.Wrap("cannot start a child process", c.start(o))
	}
	toChild.r.Close()
	fromChild.w.Close()
	if err != nil {
		c.discard()
		return nil, err
	}
	c.PID = cmd.Process.Pid
	for _, o := range c.outlets {
		o.start()
	}
	return c, nil
}

// start starts the process. Only a child that runs one function may use a process that
// the host has started earlier, since a pool's workers have the pool's environment.
func (c *Child) start(o Options) (err error) {
	if o.Workers > 0 {
		return c.cmd.Start()
	}
	c.version, err = c.host.Start(c.cmd)
	c.updated = c.version > 0
	return err
}

// discard closes the files of a child that could not be started.
func (c *Child) discard() {
	c.Conn.W.Close()
	c.results.f.Close()
	if c.Crash != nil {
		c.Crash.Close()
	}
	for _, o := range c.outlets {
		o.pipe.close()
	}
}

// prepare completes a Host's command: files, environment, process group.
func prepare(cmd *exec.Cmd, o Options, in, out, crash *os.File) {
	first := 3 + len(cmd.ExtraFiles)
	cmd.ExtraFiles = append(cmd.ExtraFiles, in, out)
	if crash != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, crash)
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, o.Env...)
	cmd.Env = append(cmd.Env, shm.Environ()...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d,%d", protocol.Marker, first, len(cmd.ExtraFiles)+3-first))
	cmd.WaitDelay = o.Grace + time.Second // for a host's writers that are not files
	setGroup(cmd)
}

// connect sets the command's standard output and standard error.
func (c *Child) connect(o Options, to Sinks) (err error) {
	if c.cmd.Stdout, err = c.stream(o.Stdout, to.out, c.cmd.Stdout, os.Stdout); err != nil {
		return err
	}
	if to.err != nil && to.err == to.out {
		c.cmd.Stderr = c.cmd.Stdout
		return nil
	}
	c.cmd.Stderr, err = c.stream(o.Stderr, to.err, c.cmd.Stderr, os.Stderr)
	return err
}

// stream returns the destination of a standard stream of the child: the user's writer, else
// the host's, else this process's stream.
func (c *Child) stream(user io.Writer, to *sink, host, own io.Writer) (io.Writer, error) {
	switch {
	case to != nil:
		o, err := newOutlet(to)
		if err != nil {
			return nil, err
		}
		c.outlets = append(c.outlets, o)
		return o.pipe.w, nil
	case user != nil:
		return user, nil
	case host != nil:
		return host, nil
	}
	return own, nil
}

// Close closes the files through which the parent communicates with a child that has been
// reaped, and returns how the child ended.
func (c *Child) Close() *failure.ExitError {
	c.Conn.W.Close()
	c.results.f.Close()
	exit := c.exitError()
	if c.Crash != nil {
		c.Crash.Close()
	}
	return exit
}

// Reap waits until the process has ended. On Linux it also kills the other processes in the
// process group.
func (c *Child) Reap() {
	endsGroup(c.cmd.Process)
	_ = c.cmd.Wait() // its error is in ProcessState, which exitError reads
	c.mu.Lock()
	c.exited = true
	c.mu.Unlock()
	close(c.Gone)
	c.results.childGone()
	for _, o := range c.outlets {
		o.from.childGone()
	}
}

// Flushed waits until the child's output has been written to the user's writers.
func (c *Child) Flushed() {
	for _, o := range c.outlets {
		<-o.done
	}
}

func (c *Child) exitError() *failure.ExitError {
	e := &failure.ExitError{PID: c.PID, Code: c.cmd.ProcessState.ExitCode(), Signal: signalOf(c.cmd.ProcessState)}
	if c.Crash != nil && (e.Code == 2 || e.Signal != 0) {
		e.Crash = readCrash(c.Crash)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Signal == syscall.SIGKILL || e.Code == protocol.ExitBroken {
		e.Cause = c.cause
	}
	if e.Code == protocol.ExitBroken && e.Cause == nil {
		e.Cause = errPipeClosed // the child could not send the reason
	}
	return e
}

// KillFor kills the child. cause becomes the Cause of its ExitError.
func (c *Child) KillFor(cause error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	_ = c.Kill()
}

// KillLater calls KillFor after the time d, if the child still runs then.
func (c *Child) KillLater(d time.Duration, cause error) {
	timer := time.AfterFunc(d, func() { c.KillFor(cause) })
	go func() {
		<-c.Gone
		timer.Stop()
	}()
}

// errPipeClosed is the cause of the end of a child that closed its pipes to its parent
// and ran on.
var errPipeClosed = errors.New("mp: the child closed the pipes to its parent and went on running, so the parent killed it")

// ClosedPipeDelay is how long a process may take to end after its pipes were closed.
const ClosedPipeDelay = 200 * time.Millisecond

// maxCrash is the largest number of bytes of a crash report that are kept.
const maxCrash = 64 << 10

func readCrash(f *os.File) string {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, protocol.BudgetPageSize+maxCrash))
	if err != nil || len(b) <= protocol.BudgetPageSize {
		return ""
	}
	report, line := strings.TrimSpace(string(b[protocol.BudgetPageSize:])), protocol.FatalLine(b)
	if line != "" && !strings.HasPrefix(report, line) {
		report = line + "\n\n" + report
	}
	return report
}

func exitCode(e *failure.ExitError) int {
	if e.Signal != 0 {
		return -int(e.Signal)
	}
	return e.Code
}

func (c *Child) CancelTask() { c.CancelOne(1, 0) }

func (c *Child) CancelOne(batch uint64, i int) {
	_ = c.Conn.Send(protocol.Frame{Kind: protocol.FrameCancel, Id: batch, Body: binary.LittleEndian.AppendUint32(nil, uint32(i))})
}

// Terminate cancels the context of the child's function, or sends SIGTERM if the function
// takes no context. It kills the child when its grace period has passed.
func (c *Child) Terminate() {
	c.mu.Lock()
	again := c.ending
	c.ending = true
	c.mu.Unlock()
	if again {
		return
	}
	time.AfterFunc(c.grace, func() { _ = c.Kill() })
	go func() {
		<-c.ordered
		if c.TakesContext {
			c.CancelTask()
		} else {
			_ = c.Signal(syscall.SIGTERM)
		}
	}()
}

func (c *Child) Signal(sig os.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exited {
		return os.ErrProcessDone
	}
	return c.cmd.Process.Signal(sig)
}

func (c *Child) Kill() error {
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
		return pipe{}, fmt.Errorf("mp: cannot make a pipe to a child process: %w", err)
	}
	return pipe{r, w}, nil
}

func (p pipe) close() {
	p.r.Close()
	p.w.Close()
}
