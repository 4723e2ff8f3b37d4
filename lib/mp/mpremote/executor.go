package mpremote

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/pool"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// An Executor runs tasks that a Runner has sent, in child processes of this process. Its
// methods may be called concurrently.
type Executor struct {
	host mphost.Host
	pool *pool.Pool

	mu    sync.Mutex
	funcs map[string]*call.Function // by Func.ID
}

// ExecutorOptions are the options of NewExecutor.
type ExecutorOptions struct {
	Workers        int           // number of child processes
	Retries        int           // how often a task may begin again after its process died
	Grace          time.Duration // how long a canceled task may run on before its process is killed
	TasksPerChild  int           // number of tasks after which a process is replaced; 0 for no limit
	TaskTimeout    time.Duration // time limit of each task; 0 for no limit
	Initializer    *Initializer  // the call that each process runs first, or nil
	Stdout, Stderr io.Writer     // nil for standard output and standard error of this process
	Env            []string      // variables added to the environment of the children
}

// NewExecutor returns an Executor with the options o, whose child processes it starts.
func NewExecutor(o ExecutorOptions) (*Executor, error) {
	h, err := mphost.Current()
	if err != nil {
		return nil, err
	}
	po := pool.Options{
		Options: process.Options{Grace: o.Grace, Stdout: o.Stdout, Stderr: o.Stderr, Env: o.Env, Workers: o.Workers},
		Retries: o.Retries, TasksPerChild: o.TasksPerChild, TaskTimeout: call.Timeout(o.TaskTimeout),
	}
	if o.Initializer != nil {
		if po.Initializer, err = o.Initializer.decode(h); err != nil {
			return nil, err
		}
	}
	p, err := pool.New(true, po)
	if err != nil {
		return nil, err
	}
	return &Executor{host: h, pool: p, funcs: make(map[string]*call.Function)}, nil
}

// Close kills the child processes. Tasks that have not ended fail with mp.ErrClosed.
func (e *Executor) Close() { e.pool.Kill() }

// Broken returns an error if the Executor runs no more tasks, for example because its
// Initializer has failed. All tasks then fail with that error.
func (e *Executor) Broken() error { return e.pool.Broken() }

// Restarts returns how many child processes were started in place of others that died.
func (e *Executor) Restarts() int { return e.pool.Stats().Restarts }

// A Task is a task that an Executor runs.
type Task struct {
	future pool.Future
	fn     *call.Function
	result unsafe.Pointer
	err    error // why it did not begin

	portable bool // its outcome is for another build
}

// TaskKey returns the key of the task whose context is ctx, or "".
func TaskKey(ctx context.Context) string { return call.Key(ctx) }

// Start begins a task that calls f with an encoded argument. In the task, TaskKey returns key.
// If the task fails or cannot begin, Outcome returns the error.
func (e *Executor) Start(f *Func, arg []byte, key string) *Task {
	t := &Task{portable: f.Hash != mpsource.Hash{}}
	if t.fn, t.err = e.function(f); t.err != nil {
		return t
	}
	fn := *t.fn
	a := fn.Arg.Room(1)
	t.result = fn.Result.Room(1)
	if err := failure.Catch(func() error { return decodeArgument(&fn, arg, a, t.portable) }); err != nil {
		t.err = failure.Wrap("argument of "+f.Name, err)
		return t
	}
	t.future.Open(fn.Result, t.result)
	t.future.Key = key
	if err := e.pool.Submit(context.Background(), &fn, a, &t.future); err != nil {
		t.future.Fail(err)
	}
	return t
}

// FailedTask returns a Task for f that did not begin; its Outcome has the error err.
func FailedTask(f *Func, err error) *Task {
	return &Task{err: err, portable: f.Hash != mpsource.Hash{}}
}

// closed is a closed channel.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done returns a channel that is closed when the task has an outcome.
func (t *Task) Done() <-chan struct{} {
	if t.err != nil {
		return closed
	}
	return t.future.Done
}

// Cancel cancels the task, as Cancel of an mp.Future does.
func (t *Task) Cancel() {
	if t.err == nil {
		t.future.Cancel(context.Canceled)
	}
}

// Outcome waits for the outcome. err is the error that the Outcome encodes, or nil.
func (t *Task) Outcome() (o Outcome, err error) {
	if err = t.err; err == nil {
		_, err = t.future.Wait(context.Background())
	}
	var b []byte
	if err == nil {
		err = failure.Catch(func() (err error) { b, err = encodeResult(t.fn, t.result, t.portable); return err })
	}
	switch {
	case err != nil && t.portable:
		return PortableFailure(err), err
	case err != nil:
		return Failure(err), err
	}
	return Outcome{Bytes: b, Portable: t.portable}, nil
}

// function returns the function with the ID of f. It checks that its types are those of f,
// so that no argument is decoded as another type.
func (e *Executor) function(f *Func) (*call.Function, error) {
	if f.Hash != (mpsource.Hash{}) {
		return registeredFunction(f)
	}
	e.mu.Lock()
	known := e.funcs[f.ID]
	e.mu.Unlock()
	if known == nil {
		c, err := find(e.host, f)
		if err != nil {
			return nil, missing(f, err)
		}
		known = c
	}
	if err := sameTypes(known, f); err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.funcs[f.ID] = known
	e.mu.Unlock()
	return known, nil
}

func missing(f *Func, err error) error {
	return fmt.Errorf("mp: this worker cannot run the function %s: %w", f.Name, failure.Unprefixed(err))
}

func sameTypes(c *call.Function, f *Func) error {
	if typeText(c.Arg) == f.Arg && typeText(c.Result) == f.Result {
		return nil
	}
	return fmt.Errorf("mp: the function %s differs in this worker: it takes %s and returns %s here, but takes %s and returns %s in the process that sent the task", f.Name,
		typeText(c.Arg), typeText(c.Result), f.Arg, f.Result)
}

// runnerPrefix is the beginning of the symbols of the Run methods that Function.Runner of
// package call may have, up to the type arguments.
var runnerPrefix = func() string {
	name := runtime.FuncForPC(call.RunnerPC(call.Of[int, int](func(int) int { return 0 }, false).Runner)).Name()
	return name[:strings.Index(name, "[")]
}()

func find(h mphost.Host, f *Func) (*call.Function, error) {
	def, err := process.ParseID(f.ID)
	if err != nil {
		return nil, err
	}
	runner, err := h.FuncPC(def.RunnerID)
	if err != nil {
		return nil, err
	}
	if r := runtime.FuncForPC(runner); r == nil || r.Entry() != runner || !strings.HasPrefix(r.Name(), runnerPrefix+"[") {
		return nil, failure.ErrMalformed
	}
	pc, err := h.FuncPC(def.FnID)
	if err != nil {
		return nil, err
	}
	l := &finder{fn: &call.Funcval{PC: pc}, target: def.Target}
	call.RunnerAt(runner)(nil, l)
	if _, _, err := call.Codecs(&l.found); err != nil {
		return nil, err
	}
	l.found.Named = true
	return &l.found, nil
}

// A finder implements call.Caller: it keeps the function with its types.
type finder struct {
	fn     *call.Funcval
	target bool
	found  call.Function
}

func (l *finder) Function() (*call.Funcval, bool) { return l.fn, l.target }
func (l *finder) Caller(c call.Function)          { l.found = c }
