package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/pool"
)

// Map applies fn to each element of xs on the pool's workers and returns the
// results in order. At the first error no more tasks begin, those that run are
// cancelled, and Map returns; it does the same when ctx ends. The error is a
// *MapError then, and beside it are the results that there are. The type of the
// results is the only type argument to give: mp.Map[int](ctx, pool, Square, xs).
//
// xs must not change until Map returns, nor with goroutines until the
// functions that still run after an error have returned.
func Map[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, xs []A, opts ...JobOption) ([]R, error) {
	out, err := mapRow(ctx, p, call.Of[R, A](fn, false), unsafe.Pointer(unsafe.SliceData(xs)), len(xs), opts)
	if out == nil {
		return nil, err
	}
	return unsafe.Slice((*R)(out), len(xs)), err
}

// ForEach is Map for a function without a result.
func ForEach[A any, F Target[A]](ctx context.Context, p *Pool, fn F, xs []A, opts ...JobOption) error {
	_, err := mapRow(ctx, p, call.Of[None, A](fn, true), unsafe.Pointer(unsafe.SliceData(xs)), len(xs), opts)
	return err
}

// mapRow is Map for a row of n arguments. It returns the row of the results, or
// nil if no task began.
//
//go:noinline
func mapRow(ctx context.Context, p *Pool, fn call.Function, args unsafe.Pointer, n int, opts []JobOption) (unsafe.Pointer, error) {
	if p == nil {
		return nil, nilError("Pool")
	}
	o, err := newJobOptions(opts)
	if err != nil {
		return nil, err
	}
	out, err := poolOf(p).Map(ctx, fn, args, n, o.report)
	if e, ok := err.(*pool.MapFailure); ok {
		err = &MapError{Err: e.Err, Failed: e.Failed, done: e.Done}
	}
	return out, err
}

// A MapError is the error of a Map or ForEach that ended before all its tasks
// had succeeded. A Stream goes on after a task's error instead.
type MapError struct {
	// Err is why it ended: the error of the failed task with the lowest place,
	// which it tells, or the cause of the end of the context.
	Err error
	// Failed has the errors of the tasks that failed, by place. Tasks that were
	// cancelled, or did not begin, because of these are not there; one that has
	// returned at the end of the context may be.
	Failed map[int]error

	done []pool.Range // tasks that succeeded
}

// Error returns the text of Err.
func (e *MapError) Error() string {
	if e.Err == nil {
		return "mp: a Map ended early"
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *MapError) Unwrap() error { return e.Err }

// Succeeded reports whether the task at place i has succeeded, so that element i
// of what Map returned is its result, and not a zero value in its place.
func (e *MapError) Succeeded(i int) bool {
	for _, s := range e.done {
		if s.From <= i && i < s.To {
			return true
		}
	}
	return false
}
