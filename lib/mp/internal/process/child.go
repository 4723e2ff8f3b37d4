// Package process starts child processes, sends them functions to run, and brings back
// what becomes of them.
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

// A Child is the parent's end of a child process.
type Child struct {
	host    mphost.Host
	Conn    *protocol.FrameWriter
	frames  *bufio.Reader
	results *drain   // under frames
	Crash   *os.File // the budgetPage, then what the child's runtime prints when it crashes; may be nil
	cmd     *exec.Cmd
	outlets []*outlet // of its standard streams, to users' writers
	PID     int
	grace   time.Duration
	refused error // why the host would not let it have its function
	version int   // of Host.Update that the child has
	updated bool  // it was sent one

	mu     sync.Mutex
	exited bool  // the process was reaped: its id may mean another by now
	ending bool  // terminate was called
	cause  error // why this process killed it, if for a reason of its own

	TakesContext bool          // its function takes a context
	ordered      chan struct{} // closed when the child was sent its function
	Gone         chan struct{} // closed when the process was reaped
}

// The size of the pipes of a pool's workers, each and together, in bytes: a
// batch passes with few wake-ups. Linux takes the memory as it is needed, but
// counts what might be, and gives a user's later pipes less beyond 64 MB.
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

// start starts the process. A pool's workers begin again: their environment
// is the pool's.
func (c *Child) start(o Options) (err error) {
	if o.Workers > 0 {
		return c.cmd.Start()
	}
	c.version, err = c.host.Start(c.cmd)
	c.updated = c.version > 0
	return err
}

// discard frees what belongs to a child that could not be started.
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

// prepare completes a Host's command: files, environment, group.
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
	cmd.WaitDelay = o.Grace + time.Second // for a host's writers that are no files
	setGroup(cmd)
}

// connect gives the command its standard streams.
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

// stream is where a standard stream of the child goes: what the user said, what
// the host said, or this process's.
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

// Close frees what the parent holds of a child that was reaped.
func (c *Child) Close() *failure.ExitError {
	c.Conn.W.Close()
	c.results.f.Close()
	exit := c.exitError()
	if c.Crash != nil {
		c.Crash.Close()
	}
	return exit
}

// Reap waits for the process to end, and ends what it has started in its group.
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

// Flushed waits until what the child has written has reached the user's writers.
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
		e.Cause = errPipeClosed // it could not say why
	}
	return e
}

// KillFor kills the child for a reason that its ExitError gives.
func (c *Child) KillFor(cause error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	_ = c.Kill()
}

// KillLater kills the child if it still runs after d.
func (c *Child) KillLater(d time.Duration, cause error) {
	timer := time.AfterFunc(d, func() { c.KillFor(cause) })
	go func() {
		<-c.Gone
		timer.Stop()
	}()
}

// errPipeClosed is the cause of the end of a child that lives without its pipes.
var errPipeClosed = errors.New("mp: it closed the pipes to its parent")

// ClosedPipeDelay is how long a process may take to end after its pipes were closed.
const ClosedPipeDelay = 200 * time.Millisecond

// maxCrash bounds how much of a crash's report is kept, in bytes.
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

// Terminate cancels the function's context and kills the child after its grace.
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
		return pipe{}, fmt.Errorf("mp: cannot make a pipe to a child: %w", err)
	}
	return pipe{r, w}, nil
}

func (p pipe) close() {
	p.r.Close()
	p.w.Close()
}
