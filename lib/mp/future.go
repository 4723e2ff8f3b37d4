package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/pool"
)

// A Future provides the result of a task that was submitted to a pool. Its methods may
// be called concurrently.
type Future[R any] struct {
	in pool.Future
	r  R
}

// Submit gives the task fn(arg) to the pool and returns at once. If ctx ends before the
// task, the task is canceled as by Cancel. If the call is invalid, the Future has the
// error. The type of the result is the only type argument to give: mp.Submit[int](ctx,
// pool, Square, 7).
func Submit[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, arg A) *Future[R] {
	f := new(Future[R])
	submit(ctx, p, call.Of[R, A](fn, false), unsafe.Pointer(&arg), &f.in, unsafe.Pointer(&f.r))
	return f
}

var errNoFuture = notMade("Future", "mp.Submit")

// Done returns a channel that is closed when the task has a result or an error.
func (f *Future[R]) Done() <-chan struct{} {
	if f == nil {
		panicNil("Future")
	}
	if f.in.Done == nil {
		panic(errNoFuture)
	}
	return f.in.Done
}

// Result waits for the task's result. If ctx ends first, Result returns an error that
// matches ErrRunning and ctx's error, and the task goes on.
func (f *Future[R]) Result(ctx context.Context) (r R, err error) {
	if f == nil {
		return r, nilError("Future")
	}
	if f.in.Done == nil {
		return r, errNoFuture
	}
	ready, err := f.in.Wait(ctx)
	if ready {
		r = f.r
	}
	return r, err
}

// Cancel cancels the task: the Future's error is context.Canceled unless the task has
// ended. A task that has not begun never begins. The context of a running task is
// canceled, and its worker process is killed if the task runs on for longer than the
// pool's Grace.
func (f *Future[R]) Cancel() {
	if f == nil {
		panicNil("Future")
	}
	if f.in.Cancel != nil {
		f.in.Cancel(context.Canceled)
	}
}

//go:noinline
func submit(ctx context.Context, p *Pool, fn call.Function, arg unsafe.Pointer, f *pool.Future, result unsafe.Pointer) {
	f.Open(fn.Result, result)
	err := error(nil)
	if p == nil {
		err = nilError("Pool")
	} else {
		err = poolOf(p).Submit(ctx, &fn, arg, f)
	}
	if err != nil {
		f.Fail(err)
	}
}
