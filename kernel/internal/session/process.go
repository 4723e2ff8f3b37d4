package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"golang.org/x/sys/unix"
)

// A process is a worker process as its kernel sees it. One goroutine, the
// pump, reads everything it says and passes it on in order.
type process struct {
	cmd   *exec.Cmd
	conn  *control.Conn
	sock  *os.File
	out   [2]*stream // standard output and error; the pump's once that runs
	gonb  *gonbPipe
	page  *gonbPage
	comms map[string]bool // open ones, by id; guarded by mu
	log   *slog.Logger
	ready chan error

	// The pump's own: what may be the runtime's last words, and how long to
	// wait whether they are.
	dump     dump
	patience *time.Timer
	started  bool
	streams  []*stream // all that are read: out, and what children of earlier cells hold
	readable chan *stream
	stop     chan struct{} // closed when the pump ends
	fifos    string        // folder for named pipes

	// unheard fires when the worker has not ended a cell long after it was
	// told to.
	unheard *time.Timer
	told    int // the cell; guarded by mu
	// insist asks the pump to end a worker that leaves an interrupt unanswered.
	insist chan struct{}

	reap   sync.Mutex
	reaped bool

	mu       sync.Mutex
	sink     output.Sink // of the running cell, or of the last
	id       int
	before   output.Sink // of the cell before the running one
	next     *start      // the cell that was sent and is not yet loaded
	cells    earlier
	held     bool            // children hold the pipes out
	shared   bool            // those of package mp do, too
	ctx      context.Context // of the running cell: ends when it is interrupted or over
	cancel   context.CancelFunc
	done     chan control.Reply                // of the running cell
	onLeft   func(count int, sink output.Sink) // told of goroutines that interrupts left behind
	ended    chan struct{}                     // closed when the process is gone and all was read
	program  func() *program.Program           // the session's, whose compiler counts as memory in use; nil at first
	oomKills int                               // at the start, see there
	garbage  error                             // why the kernel gave the worker up
	isSetUp  bool                              // it was told what directives have set; of whoever has the turn
	cell     int                               // the notebook's number of the running cell, 0 if it has none; guarded by mu
	view     func() view                       // how calls are shown; guarded by mu; nil before the first cell

	dropped []string // what the worker was told last; the session's

	limit   atomic.Pointer[limit] // of memory
	standby atomic.Int64          // the process that waits to become a child; 0 if none does
	doom    chan error            // to the pump: end the worker, for this reason
}

// startProcess starts a worker and waits until it can take cells, or until ctx
// ends. Named pipes are made in folder fifos.
func startProcess(ctx context.Context, command []string, dir, fifos string, env []string, lim limit, log *slog.Logger) (*process, error) {
	p := &process{
		ctx: context.Background(), log: log, ready: make(chan error, 1), ended: make(chan struct{}),
		insist: make(chan struct{}, 1), doom: make(chan error),
		readable: make(chan *stream), stop: make(chan struct{}), fifos: fifos,
		page: &gonbPage{wanted: map[string]bool{}},
	}
	p.oomKills = oomKills(os.DirFS("/"))
	p.limit.Store(&lim)
	p.unheard = time.NewTimer(time.Hour)
	p.unheard.Stop()
	p.cmd = workerCommand(command, dir, env, lim)
	theirs, err := p.wire()
	if err == nil {
		err = p.cmd.Start()
	}
	// The worker's ends must be open in the worker alone: their end is how its
	// death is noticed.
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		p.unwire()
		return nil, err
	}
	go p.pump()
	go (&memoryWatch{p: p, root: os.DirFS("/")}).run()
	select {
	case err := <-p.ready:
		return p, err
	case <-p.ended:
		return nil, fmt.Errorf("it ended at once: %s", p.cause())
	case <-ctx.Done():
		p.kill()
		return nil, ctx.Err()
	case <-time.After(startPatience):
		p.kill()
		return nil, fmt.Errorf("it did not answer within %v", startPatience)
	}
}

// startPatience is how long a new worker may take to say that it is ready.
const startPatience = 30 * time.Second

// workerCommand is how a worker is started, without what connects it.
func workerCommand(command []string, dir string, env []string, lim limit) *exec.Cmd {
	cmd := exec.Command(command[0], command[1:]...)
	if lim.bytes > 0 && len(command) > 1 { // else it is a cell's own program
		cmd.Args = append(cmd.Args, fmt.Sprint("-memory=", lim.bytes))
	}
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), gonbEnv...), env...)
	// A group of its own: a terminal's Ctrl-C is the kernel's to handle, and
	// the whole group can be ended at once.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// wire makes the sockets and pipes between the kernel and the worker, and
// returns the worker's ends, also after an error.
func (p *process) wire() (theirs []*os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	// Our end is read through the runtime's poller: a thread that blocks in a
	// read keeps others waiting, for milliseconds, until it is noticed.
	err = unix.SetNonblock(pair[0], true)
	p.sock = os.NewFile(uintptr(pair[0]), "control")
	p.conn = control.New(impatient{p.sock})
	theirs = append(theirs, os.NewFile(uintptr(pair[1]), "control"))
	if err != nil {
		return theirs, err
	}
	gonbPipe, gonbEnds, err := newGonbPipe()
	if err != nil {
		return theirs, err
	}
	p.gonb = gonbPipe
	theirs = append(theirs, gonbEnds...)
	p.cmd.ExtraFiles = slices.Clone(theirs)
	var writers [2]*os.File
	for i, name := range []string{output.Stdout, output.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		writers[i] = w
		theirs = append(theirs, w)
		if p.out[i], err = newStream(name, r); err != nil {
			return theirs, err
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = writers[0], writers[1]
	return theirs, nil
}

// unwire closes the kernel's ends of what wire has made.
func (p *process) unwire() {
	if p.sock != nil {
		p.sock.Close()
	}
	if p.gonb != nil {
		p.gonb.close()
	}
	for _, s := range p.out {
		if s != nil {
			s.f.Close()
		}
	}
}

// sendPatience is how long a worker may leave the control socket unread. Its
// reader does nothing else, so that a full socket means a stopped or hostile
// process.
const sendPatience = 10 * time.Second

// impatient is a socket on which a write fails that the other side does not take.
type impatient struct{ *os.File }

func (f impatient) Write(b []byte) (int, error) {
	if err := f.SetWriteDeadline(time.Now().Add(sendPatience)); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

// A loadError is the linker's refusal of a cell; the worker is unharmed.
type loadError struct {
	text string
	at   *control.Frame // what in the cell could not be linked; may be nil
	path string         // the package that brought it along; may be empty
	cell *cell.Cell
}

func (e *loadError) Error() string { return e.text }

// run executes a compiled cell. loaded is called, before any output, once the
// worker has linked the cell.
func (p *process) run(ctx context.Context, m control.Run, sink output.Sink, loaded func(reset, notices []string)) (*control.Outcome, error) {
	done := make(chan control.Reply, 1)
	p.mu.Lock()
	p.id++
	m.ID = p.id
	p.done = done
	p.sink, p.before = sink, p.sink
	p.cells.add(p.id, sink)
	p.next = &start{loaded: loaded}
	if p.held {
		m.OutputPipes = p.next.outlets(p.fifos, p.id)
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	defer p.cancel()
	p.mu.Unlock()
	defer p.dropNext()
	if err := p.conn.Send(m); err != nil {
		p.kill()
		return nil, errors.New("the worker is gone")
	}
	stop := context.AfterFunc(ctx, p.interrupt)
	defer stop()
	select {
	case m := <-done:
		switch m := m.(type) {
		case control.Done:
			return &m.Outcome, nil
		case control.LoadFailed:
			return nil, &loadError{text: m.Reason, at: m.At, path: m.Import}
		}
		return nil, &loadError{text: "the worker does not say how the cell ended"}
	case <-p.ended:
		return nil, errors.New("the worker is gone")
	}
}

// setup changes folder, environment or arguments of the worker.
func (p *process) setup(ctx context.Context, m control.Setup) error {
	answer, err := request[control.SetupReply](ctx, p, func(id int) control.Message { m.ID = id; return m })
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	return err
}

// reload replaces packages and reports whether they have new types.
func (p *process) reload(ctx context.Context, m control.Reload) (renewed bool, err error) {
	answer, err := request[control.ReloadReply](ctx, p, func(id int) control.Message { m.ID = id; return m })
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	return answer.Renewed, err
}

// listDropped lists the dropped variables that are still in use.
func (p *process) listDropped(ctx context.Context) ([]string, error) {
	answer, err := request[control.DroppedList](ctx, p, func(id int) control.Message { return control.ListDropped{ID: id} })
	return answer.Lines, err
}

// request has the worker do something beside cells and waits until it is done, or
// until ctx ends. message makes the request for an ID.
func request[R control.Reply](ctx context.Context, p *process, message func(id int) control.Message) (answer R, err error) {
	done := make(chan control.Reply, 1)
	p.mu.Lock()
	p.id++
	id := p.id
	p.done = done
	p.mu.Unlock()
	if err := p.conn.Send(message(id)); err != nil {
		return answer, err
	}
	select {
	case m := <-done:
		answer, ok := m.(R)
		if !ok {
			return answer, fmt.Errorf("the worker answers with a %T", m)
		}
		return answer, nil
	case <-ctx.Done():
		return answer, waitInterrupted("interrupted before the worker answered")
	case <-p.ended:
		return answer, errors.New("the worker is gone")
	}
}

func (p *process) dead() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// kill ends the worker and its process group.
func (p *process) kill() {
	p.killGroup()
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		p.log.Error("the worker does not end", "pid", p.cmd.Process.Pid)
	}
}

// killGroup ends the process group unless the process was reaped: its number
// may mean another process by then.
func (p *process) killGroup() {
	p.reap.Lock()
	defer p.reap.Unlock()
	if !p.reaped {
		_ = unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL)
	}
}

// cause says, in a sentence, why the process ended.
func (p *process) cause() string {
	if p.garbage != nil {
		return p.garbage.Error()
	}
	if c := p.dump.cause(); c != "" {
		return cmp.Or(p.outOfMemory(c), c)
	}
	st := p.cmd.ProcessState
	if st == nil {
		return "for an unknown reason"
	}
	if ws, ok := st.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return endedBy(ws.Signal(), os.DirFS("/"), p.oomKills)
	}
	return "it ended itself with " + st.String() + ", past os.Exit, as syscall.Exit and syscall.Exec do"
}
