package mp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/trace"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/goroutine"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/queue"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Process is a function that runs in a goroutine or a child process. Its methods may
// be called concurrently.
type Process struct {
	name    string
	pid     int
	cancel  context.CancelFunc // of a goroutine's context
	child   ender              // nil for a goroutine
	release func()             // releases the context that the function got from the caller
	done    chan struct{}      // closed when the outcome is known and a child process is gone
	ended   chan struct{}      // closed when the outcome is known

	// The fields below are set before ended is closed.
	err  error
	code int
}

// Start runs fn(arg), or fn(ctx, arg), in a goroutine or a child process, and returns
// at once. When ctx ends, or Terminate is called, the context of fn ends; a child whose
// fn takes no context gets a SIGTERM instead. A child that does not end within its
// Grace after that is killed.
//
// A child gets a copy of arg. Start fails if arg or fn cannot be sent, or if the child
// cannot be started.
func Start[A any, F Target[A]](ctx context.Context, b Backend, fn F, arg A, opts ...ProcessOption) (*Process, error) {
	return start(ctx, b, call.Of[None, A](fn, true), unsafe.Pointer(&arg), unsafe.Pointer(&call.Nothing), opts)
}

// A Call is a Process whose function returns a result.
type Call[R any] struct {
	*Process
	result R // set before ended is closed
}

// Go is Start for a function with a result. The type of the result is the
// only type argument to give: mp.Go[int](ctx, mp.Processes, Square, 7).
func Go[R, A any, F Func[A, R]](ctx context.Context, b Backend, fn F, arg A, opts ...ProcessOption) (*Call[R], error) {
	c := new(Call[R])
	p, err := start(ctx, b, call.Of[R, A](fn, false), unsafe.Pointer(&arg), unsafe.Pointer(&c.result), opts)
	c.Process = p
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Result waits for the function and returns its result. It returns the errors of Join.
func (c *Call[R]) Result(ctx context.Context) (R, error) {
	if err := c.base().Join(ctx); err != nil {
		var zero R
		return zero, err
	}
	return c.result, nil
}

// base returns the Process of c, or nil if c is nil. A promoted method would panic for
// a nil c; the methods below return or panic with an error that names the cause.
func (c *Call[R]) base() *Process {
	if c == nil {
		return nil
	}
	return c.Process
}

// PID is Process.PID.
func (c *Call[R]) PID() int { return c.base().PID() }

// String is Process.String.
func (c *Call[R]) String() string { return c.base().String() }

// Done is Process.Done.
func (c *Call[R]) Done() <-chan struct{} { return c.base().Done() }

// Alive is Process.Alive.
func (c *Call[R]) Alive() bool { return c.base().Alive() }

// Join is Process.Join.
func (c *Call[R]) Join(ctx context.Context) error { return c.base().Join(ctx) }

// ExitCode is Process.ExitCode.
func (c *Call[R]) ExitCode() (code int, ended bool) { return c.base().ExitCode() }

// Terminate is Process.Terminate.
func (c *Call[R]) Terminate() { c.base().Terminate() }

// Kill is Process.Kill.
func (c *Call[R]) Kill() error { return c.base().Kill() }

// Signal is Process.Signal.
func (c *Call[R]) Signal(sig os.Signal) error { return c.base().Signal(sig) }

// An ender is the part of a child that Process uses.
type ender interface {
	Terminate()
	Kill() error
	Signal(os.Signal) error
}

//go:noinline
func start(ctx context.Context, b Backend, fn call.Function, arg, result unsafe.Pointer, opts []ProcessOption) (*Process, error) {
	if fn.Fn == nil {
		return nil, errors.New("mp: the function to run is nil")
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	o, err := processOptions(b, opts)
	if err != nil {
		return nil, err
	}
	ctx, release := mphost.WithCancel(ctx)
	p := &Process{name: o.name, done: make(chan struct{}), ended: make(chan struct{}), release: release}
	if p.name == "" {
		p.name = program.ShortName(fn.Fn.PC)
	}
	switch b {
	case Goroutines:
		startGoroutine(ctx, p, &fn, arg, result)
		return p, nil
	case Processes:
		if err := startProcess(ctx, p, &fn, arg, result, o); err != nil {
			release()
			return nil, err
		}
		return p, nil
	}
	release()
	return nil, unknownBackend(b)
}

func startGoroutine(ctx context.Context, p *Process, fn *call.Function, arg, result unsafe.Pointer) {
	p.pid = os.Getpid()
	ctx, p.cancel = context.WithCancel(ctx)
	go func() {
		defer p.release()
		defer p.cancel()
		endSpan := func() {}
		if trace.IsEnabled() {
			endSpan = tracing.Task(program.Name(fn.Fn.PC), 0, -1).End
		}
		p.err, p.code = ErrGoexit, 1
		defer func() { // also after a Goexit
			endSpan()
			tracing.SendLocal(tracing.KindLocalResult, unsafe.Pointer(p), 0)
			close(p.ended)
			close(p.done)
		}()
		if p.err = fn.Protected(ctx, arg, result); p.err == nil {
			p.code = 0
		}
	}()
}

func startProcess(ctx context.Context, p *Process, fn *call.Function, arg, result unsafe.Pointer, o options) error {
	h, err := mphost.Current()
	if err != nil {
		return err
	}
	def, err := process.Define(h, fn)
	if err != nil {
		return err
	}
	var body []byte
	ends, err := queue.CollectEnds(func() (err error) {
		body, err = fn.Arg.Encode(arg)
		return err
	})
	if err == nil {
		err = protocol.CheckSize(len(body))
	}
	if err != nil {
		return failure.Wrap("argument of "+program.Describe(fn.Fn.PC), err)
	}
	to := process.NewSinks(o.Options.Options, false)
	c, err := process.Spawn(h, o.Options.Options, to)
	if err != nil {
		return err
	}
	queue.GiveEnds(ends, c.PID)
	c.TakesContext = def.Shape&call.TakesContext != 0
	p.child, p.pid, p.cancel = c, c.PID, c.CancelTask
	stop := context.AfterFunc(ctx, p.Terminate)
	go func() {
		defer close(p.done)
		succeeded := false
		code, err := c.Only(def, body, func(b []byte) error {
			if fn.Target {
				return nil
			}
			return fn.Result.Decode(b, result)
		}, func() {
			succeeded = true
			close(p.ended) // the process itself ends some milliseconds later
		})
		if !stop() && err != nil {
			err = becauseOf(ctx, err)
		}
		if !succeeded {
			if err == nil {
				err = to.Failure()
			}
			p.code, p.err = code, err
			close(p.ended)
		}
		p.release()
		runtime.KeepAlive(arg) // arg may hold shared memory, which the child opens through this process
	}()
	return nil
}

// becauseOf adds the cause of ctx's end to err, unless err has it already.
func becauseOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !failure.Is(err, cause) {
		return fmt.Errorf("mp: the context of the process has ended: %w: %w", failure.Unprefixed(cause), failure.Unprefixed(err))
	}
	return err
}

var errNoProcess = notMade("Process", "mp.Start or mp.Go")

// Tid returns the id of the operating system thread that runs the calling goroutine.
// Unless the goroutine is locked to the thread, it may move to another one at any time.
// On darwin, where a program without the C library cannot get thread ids, Tid returns
// the process id.
func Tid() int { return goroutine.ThreadID() }

// PID returns the id of the process that runs the function.
func (p *Process) PID() int {
	if p == nil {
		panicNil("Process")
	}
	return p.pid
}

// String returns the process's name and id.
func (p *Process) String() string {
	if p == nil {
		return "<nil>"
	}
	return fmt.Sprintf("%s (process %d)", p.name, p.pid)
}

// Done returns a channel that is closed when the function has ended. For a child, it is
// closed when the process is gone, too, which may be some milliseconds later.
func (p *Process) Done() <-chan struct{} {
	if p == nil {
		panicNil("Process")
	}
	if p.done == nil {
		panic(errNoProcess)
	}
	return p.done
}

// Alive reports whether the function is still running.
func (p *Process) Alive() bool {
	if p == nil {
		panicNil("Process")
	}
	select {
	case <-p.ended:
		return false
	default:
		return p.done != nil
	}
}

// Join waits until the function has ended and returns its error. The error is nil, the error
// that the function returned, a *PanicError, or an *ExitError if a child ended without an
// outcome. An error that cannot be sent arrives as a *RemoteError. If ctx ends first, Join
// returns an error that matches ErrRunning and ctx's error, and the function goes on.
func (p *Process) Join(ctx context.Context) error {
	if p == nil {
		return nilError("Process")
	}
	if p.done == nil {
		return errNoProcess
	}
	select {
	case <-p.ended:
		return p.outcome()
	default:
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	select {
	case <-p.ended:
		return p.outcome()
	case <-ctx.Done():
		return fmt.Errorf("%w in %v, but the context of the wait has ended: %w", ErrRunning, p, context.Cause(ctx))
	}
}

// outcome returns the error of the function, which has ended.
func (p *Process) outcome() error {
	if p.child == nil {
		tracing.ReceiveLocal(tracing.KindLocalResult, unsafe.Pointer(p), 0)
	}
	return p.err
}

// ExitCode returns 0 if the function succeeded, 1 if it failed, the code that a child
// gave to os.Exit, or minus the number of the signal that ended the child. ended is
// false while the function runs.
func (p *Process) ExitCode() (code int, ended bool) {
	if p.Alive() || p.done == nil {
		return 0, false
	}
	return p.code, true
}

// Terminate tells the function to end, as described at Start, and does not wait for it.
func (p *Process) Terminate() {
	if p == nil {
		panicNil("Process")
	}
	if p.child != nil {
		p.child.Terminate()
	} else if p.cancel != nil {
		p.cancel()
	}
}

// Kill kills a child and all processes of its group at once. For a goroutine it cancels
// the context and returns ErrUnkillable. If the child has ended it returns
// os.ErrProcessDone.
func (p *Process) Kill() error {
	if p == nil {
		return nilError("Process")
	}
	if p.child != nil {
		return p.child.Kill()
	}
	if p.cancel == nil {
		return errNoProcess
	}
	p.cancel()
	return ErrUnkillable
}

// Signal sends sig to a child. It returns os.ErrProcessDone if the child has ended, and
// ErrUnkillable for a goroutine.
func (p *Process) Signal(sig os.Signal) error {
	if p == nil {
		return nilError("Process")
	}
	if p.child != nil {
		return p.child.Signal(sig)
	}
	if p.cancel == nil {
		return errNoProcess
	}
	return ErrUnkillable
}
