package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/pool"
)

// Map applies fn to each element of xs on the pool's workers and returns the results in
// order. At the first error, or when ctx ends, no more tasks begin, running tasks are
// canceled, and Map returns a *MapError together with the available results. The type
// of the results is the only type argument to give: mp.Map[int](ctx, pool, Square, xs).
//
// xs must not change until Map returns. With goroutines, it must not change until the
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

// mapRow is Map for n arguments in an array. It returns the array of results, or nil if
// no task began.
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

// A MapError is the error of a Map or ForEach that ended before all its tasks had
// succeeded. A Stream goes on after a task's error instead.
type MapError struct {
	// Err is the reason why the Map ended: the error of the failed task with the lowest index,
	// with that index in its text, or the cause of the end of the context.
	Err error
	// Failed has the errors of the tasks that failed, by index. Tasks that the Map
	// canceled or did not begin are not in it. If ctx ended, Failed may contain tasks that
	// returned an error because of that.
	Failed map[int]error

	done []pool.Range // tasks that succeeded
}

// Error returns the text of Err.
func (e *MapError) Error() string {
	if e.Err == nil {
		return "mp: a Map ended before all its tasks had ended"
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *MapError) Unwrap() error { return e.Err }

// Succeeded reports whether task i has succeeded. If so, element i of the results of
// Map is its result; else that element is a zero value.
func (e *MapError) Succeeded(i int) bool {
	for _, s := range e.done {
		if s.From <= i && i < s.To {
			return true
		}
	}
	return false
}
