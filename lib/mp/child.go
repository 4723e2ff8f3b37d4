package mp

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

	"github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A child is the parent's end of a child process.
type child struct {
	host    mphost.Host
	conn    *protocol.FrameWriter
	frames  *bufio.Reader
	results *drain   // under frames
	crash   *os.File // the budgetPage, then what the child's runtime prints when it crashes; may be nil
	cmd     *exec.Cmd
	outlets []*outlet // of its standard streams, to users' writers
	pid     int
	grace   time.Duration
	refused error // why the host would not let it have its function
	version int   // of Host.Update that the child has
	updated bool  // it was sent one

	mu     sync.Mutex
	exited bool  // the process was reaped: its id may mean another by now
	ending bool  // terminate was called
	cause  error // why this process killed it, if for a reason of its own

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
func spawn(h mphost.Host, o options, to sinks) (*child, error) {
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
	c := &child{
		host: h, conn: &protocol.FrameWriter{W: toChild.w}, results: &drain{f: fromChild.r},
		crash: crash, cmd: cmd, grace: o.grace, ordered: make(chan struct{}), gone: make(chan struct{}),
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
	c.pid = cmd.Process.Pid
	for _, o := range c.outlets {
		o.start()
	}
	return c, nil
}

// start starts the process. A pool's workers begin anew: their environment
// is the pool's.
func (c *child) start(o options) (err error) {
	if o.workers > 0 {
		return c.cmd.Start()
	}
	c.version, err = c.host.Start(c.cmd)
	c.updated = c.version > 0
	return err
}

// discard frees what belongs to a child that could not be started.
func (c *child) discard() {
	c.conn.W.Close()
	c.results.f.Close()
	if c.crash != nil {
		c.crash.Close()
	}
	for _, o := range c.outlets {
		o.pipe.close()
	}
}

// prepare completes a Host's command: files, environment, group.
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
	cmd.Env = append(cmd.Env, shm.Environ()...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d,%d", protocol.Marker, first, len(cmd.ExtraFiles)+3-first))
	cmd.WaitDelay = o.grace + time.Second // for a host's writers that are no files
	setGroup(cmd)
}

// connect gives the command its standard streams.
func (c *child) connect(o options, to sinks) (err error) {
	if c.cmd.Stdout, err = c.stream(o.stdout, to.out, c.cmd.Stdout, os.Stdout); err != nil {
		return err
	}
	if to.err != nil && to.err == to.out {
		c.cmd.Stderr = c.cmd.Stdout
		return nil
	}
	c.cmd.Stderr, err = c.stream(o.stderr, to.err, c.cmd.Stderr, os.Stderr)
	return err
}

// stream is where a standard stream of the child goes: what the user said, what
// the host said, or this process's.
func (c *child) stream(user io.Writer, to *sink, host, own io.Writer) (io.Writer, error) {
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

// close frees what the parent holds of a child that was reaped.
func (c *child) close() *ExitError {
	c.conn.W.Close()
	c.results.f.Close()
	exit := c.exitError()
	if c.crash != nil {
		c.crash.Close()
	}
	return exit
}

// reap waits for the process to end, and ends what it has started in its group.
func (c *child) reap() {
	endsGroup(c.cmd.Process)
	_ = c.cmd.Wait() // its error is in ProcessState, which exitError reads
	c.mu.Lock()
	c.exited = true
	c.mu.Unlock()
	close(c.gone)
	c.results.childGone()
	for _, o := range c.outlets {
		o.from.childGone()
	}
}

// flushed waits until what the child has written has reached the user's writers.
func (c *child) flushed() {
	for _, o := range c.outlets {
		<-o.done
	}
}

func (c *child) exitError() *ExitError {
	e := &ExitError{PID: c.pid, Code: c.cmd.ProcessState.ExitCode(), Signal: signalOf(c.cmd.ProcessState)}
	if c.crash != nil && (e.Code == 2 || e.Signal != 0) {
		e.Crash = readCrash(c.crash)
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

// killFor kills the child for a reason that its ExitError gives.
func (c *child) killFor(cause error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	_ = c.kill()
}

// killLater kills the child if it still runs after d.
func (c *child) killLater(d time.Duration, cause error) {
	timer := time.AfterFunc(d, func() { c.killFor(cause) })
	go func() {
		<-c.gone
		timer.Stop()
	}()
}

// errPipeClosed is the cause of the end of a child that lives without its pipes.
var errPipeClosed = errors.New("mp: it closed the pipes to its parent")

// closedPipeDelay is how long a process may take to end after its pipes were closed.
const closedPipeDelay = 200 * time.Millisecond

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

func exitCode(e *ExitError) int {
	if e.Signal != 0 {
		return -int(e.Signal)
	}
	return e.Code
}

func (c *child) cancelTask() { c.cancelOne(1, 0) }

func (c *child) cancelOne(batch uint64, i int) {
	_ = c.conn.Send(protocol.Frame{Kind: protocol.FrameCancel, Id: batch, Body: binary.LittleEndian.AppendUint32(nil, uint32(i))})
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
