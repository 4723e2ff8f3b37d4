package mp

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
)

// marker is the environment variable that makes a process a child: the number
// of the first of its files, and how many there are. It is removed before any user code that Init or
// RunChild calls, so that other programs do not inherit it.
const marker = "PERIJOVE_MP_CHILD"

// In a child the main goroutine, which runs the functions, stays on the main
// thread: its thread id is the process id, and C libraries that insist on the
// main thread work.
func init() {
	if IsChild() {
		runtime.LockOSThread()
	}
}

// IsChild reports whether this process was started to be a child and has not
// entered RunChild yet.
func IsChild() bool { return os.Getenv(marker) != "" }

// Init makes this program able to start children, and is where they begin: in
// a child it runs what the parent sends and exits the process. Call it first
// in main; in tests, in TestMain.
func Init() {
	if IsChild() {
		RunChild(program{})
	}
	SetHost(program{})
}

// RunChild turns this process, for which IsChild is true, over to its parent,
// and exits when there is no more to do or the parent is gone. It must be
// called on the main goroutine. A program calls Init instead.
func RunChild(h Host) {
	var first, count int
	_, err := fmt.Sscanf(os.Getenv(marker), "%d,%d", &first, &count)
	os.Unsetenv(marker)
	if err != nil {
		fmt.Fprintf(os.Stderr, "mp: malformed %s in the environment\n", marker)
		os.Exit(exitBroken)
	}
	in, out := inherited(first), inherited(first+1)
	if count > 2 {
		crash := inherited(first + 2)
		_ = debug.SetCrashOutput(crash, debug.CrashOptions{})
		crash.Close()
	}
	e := &entry{host: h, conn: &conn{w: out}, tasks: make(chan frame, 1), slots: map[uint64]slot{}, cancels: map[uint64]context.CancelFunc{}}
	here.mu.Lock()
	here.host, here.parent = h, &Peer{e.conn}
	here.mu.Unlock()
	go e.listen(bufio.NewReaderSize(in, 64<<10))
	e.work()
	select {} // work went on in another goroutine, which exits
}

// Exit codes of a child that has no function's outcome to report.
const (
	exitBroken   = 120 // the connection is unusable
	exitOrphaned = 121 // the parent is gone
)

// taskLast marks a task after which the child exits.
const taskLast byte = 1

// A slot is a function that the parent defined.
type slot struct {
	runner uintptr
	fn     *funcval
	target bool
	err    error // why it cannot run
}

// An entry is the child's end of the connection.
type entry struct {
	host  Host
	conn  *conn
	tasks chan frame

	mu      sync.Mutex
	slots   map[uint64]slot
	cancels map[uint64]context.CancelFunc // of tasks that were received and have not ended
	ctxs    map[uint64]context.Context
}

// listen reads frames until the parent is gone, and ends the process then,
// with all that it started in its process group.
func (e *entry) listen(r *bufio.Reader) {
	for {
		f, err := readFrame(r)
		if err == io.EOF {
			endGroup(exitOrphaned)
		}
		if err == nil {
			err = e.receive(f)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "mp: child process %d: %v\n", os.Getpid(), err)
			os.Exit(exitBroken)
		}
	}
}

func (e *entry) receive(f frame) error {
	switch f.kind {
	case frameUpdate:
		return e.host.Apply(f.body)
	case frameDefine:
		return e.define(f)
	case frameTask:
		e.accept(f)
		e.tasks <- f
	case frameCancel:
		e.mu.Lock()
		cancel := e.cancels[f.id]
		e.mu.Unlock()
		if cancel != nil {
			cancel()
		}
	case frameMessage:
		e.host.Message(Parent(), f.body)
	default:
		return errMalformed
	}
	return nil
}

// define resolves the two ids of a definition. A failure belongs to the tasks
// that use it, not to the process.
func (e *entry) define(f frame) error {
	if len(f.body) == 0 {
		return errMalformed
	}
	ids, err := splitStrings(f.body[1:])
	if err != nil || len(ids) != 2 {
		return errMalformed
	}
	s := slot{target: f.body[0] == 1}
	if s.runner, s.err = e.host.FuncPC(ids[0]); s.err == nil {
		var pc uintptr
		pc, s.err = e.host.FuncPC(ids[1])
		s.fn = &funcval{pc}
	}
	e.mu.Lock()
	e.slots[f.id] = s
	e.mu.Unlock()
	return nil
}

// accept makes the context of a task, which may be cancelled before it begins.
func (e *entry) accept(f frame) {
	ctx, cancel := context.WithCancel(context.Background())
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctxs == nil {
		e.ctxs = make(map[uint64]context.Context)
	}
	e.ctxs[f.id], e.cancels[f.id] = ctx, cancel
}

// work runs the tasks in order.
func (e *entry) work() {
	for f := range e.tasks {
		if len(f.body) < 5 {
			os.Exit(exitBroken)
		}
		e.run(f)
	}
}

func (e *entry) run(f frame) {
	e.mu.Lock()
	s := e.slots[uint64(binary.LittleEndian.Uint32(f.body))]
	ctx := e.ctxs[f.id]
	e.mu.Unlock()
	c := &invocation{ctx: ctx, fn: s.fn, target: s.target, arg: f.body[5:], err: s.err}
	returned := false
	defer func() {
		if !returned {
			c.err = ErrGoexit
		}
		e.finish(f, c)
		if !returned { // this goroutine is lost, and the main one must not end
			go e.work()
			select {}
		}
	}()
	switch {
	case s.err != nil:
	case s.fn == nil:
		c.err = errMalformed
	default:
		runnerAt(s.runner)(nil, c)
	}
	returned = true
}

// finish reports the outcome of a task.
func (e *entry) finish(f frame, c *invocation) {
	e.mu.Lock()
	cancel := e.cancels[f.id]
	delete(e.ctxs, f.id)
	delete(e.cancels, f.id)
	e.mu.Unlock()
	cancel()
	e.answer(f.id, c)
	if f.body[4]&taskLast != 0 {
		os.Exit(btoi(c.err != nil))
	}
}

func (e *entry) answer(id uint64, c *invocation) {
	f := frame{kind: frameResult, id: id, body: c.result}
	if c.err != nil {
		f = frame{kind: frameError, id: id, body: encodeError(c.err)}
	}
	if err := e.conn.send(f); err != nil {
		endGroup(exitOrphaned)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
