package mp

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// Map applies fn to each element of xs on the pool's workers and returns the
// results in order. At the first error no more tasks begin, those that run are
// cancelled, and Map returns the error with the place of its element; it does
// the same when ctx ends. The type of the results is the only type argument to
// give: mp.Map[int](ctx, pool, Square, xs).
//
// xs must not change until Map returns, nor with goroutines until the
// functions that still run after an error have returned.
func Map[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, xs []A) ([]R, error) {
	return mapTo[R](ctx, p.get(), fn, xs, false)
}

// ForEach is Map for a function without a result.
func ForEach[A any, F Target[A]](ctx context.Context, p *Pool, fn F, xs []A) error {
	_, err := mapTo[struct{}](ctx, p.get(), fn, xs, true)
	return err
}

// A mapJob is one Map. Its parcels are parts of one chunk.
type mapJob[A, R any] struct {
	st    jobState
	whole *chunk[A, R]
	taken int // guarded by pool.mu

	mu      sync.Mutex
	pending int // tasks without an outcome
	err     error
	at      int // the place of err
	settled chan struct{}
}

func (j *mapJob[A, R]) state() *jobState { return &j.st }
func (j *mapJob[A, R]) left() int        { return len(j.whole.args) - j.taken }

func (j *mapJob[A, R]) take(max int) parcel {
	from := j.taken
	to := min(from+max, len(j.whole.args))
	if from == to {
		return nil
	}
	j.taken = to
	return j.whole.part(from, to)
}

func mapTo[R, A, F any](ctx context.Context, p *pool, fn F, xs []A, target bool) ([]R, error) {
	f, err := prepareCall[R, A](p, fn, target)
	if err != nil {
		return nil, err
	}
	ctx, release := hosted(ctx)
	defer release()
	if len(xs) == 0 {
		return nil, context.Cause(ctx)
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	defer p.finished(1)
	inner, cancel := p.jobContext(ctx)
	defer cancel()
	j := &mapJob[A, R]{st: jobState{fn: f}, pending: len(xs), settled: make(chan struct{})}
	failed := make(chan struct{})
	var once sync.Once
	j.whole = &chunk[A, R]{
		st: &j.st, args: xs, out: make([]R, len(xs)), errs: new(faults),
		run: inPlace(localCall[R, A](inner, fn, target)),
		sink: func(c *chunk[A, R], from, to int) {
			j.outcome(c, from, to, func() { once.Do(func() { close(failed) }) })
		},
	}
	p.offer(j)
	select {
	case <-j.settled:
	case <-failed:
	case <-ctx.Done():
	}
	return j.result(ctx, p)
}

// outcome counts settled tasks and keeps the first error.
func (j *mapJob[A, R]) outcome(c *chunk[A, R], from, to int, failed func()) {
	bad := !c.errs.none()
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := from; bad && i < to; i++ {
		if err := c.err(i); err != nil && (j.err == nil || c.base+i < j.at) {
			j.err, j.at = err, c.base+i
		}
	}
	if j.err != nil {
		failed()
	}
	if j.pending -= to - from; j.pending == 0 {
		close(j.settled)
	}
}

func (j *mapJob[A, R]) result(ctx context.Context, p *pool) ([]R, error) {
	j.mu.Lock()
	err, at, pending := j.err, j.at, j.pending
	j.mu.Unlock()
	switch {
	case err != nil:
		err = itemError(at, err)
	case pending > 0:
		err = context.Cause(ctx)
	default:
		return j.whole.out, nil
	}
	p.stop(&j.st, err)
	return nil, err
}

func itemError(i int, err error) error { return within(fmt.Sprint("task ", i), err) }

// prepareCall checks that fn can run on p, and with these types.
func prepareCall[R, A, F any](p *pool, fn F, target bool) (*function, error) {
	fv := funcvalOf(fn)
	if fv == nil || p.backend != Processes {
		return p.localFunction(fv)
	}
	return p.functionFor(fv, runnerPC(new(task[R, A, F])), reflect.TypeFor[A](), reflect.TypeFor[R](), shapeOf[F](target), target)
}

func (p *pool) localFunction(fv *funcval) (*function, error) {
	if fv == nil {
		return nil, errors.New("mp: the function is nil")
	}
	return &function{pc: fv.pc}, nil
}

// functionFor is prepareCall for processes. It is not generic, nor inlined:
// every cell or package that calls Map would compile it anew, with sync.Map.
//
//go:noinline
func (p *pool) functionFor(fv *funcval, runner uintptr, arg, result reflect.Type, s shape, target bool) (*function, error) {
	if p.host.Captures(addressOf(fv), fv.pc) {
		return nil, captureError(fv.pc)
	}
	k := functionKey{fv, runner, target}
	if f := p.funcs.get(k); f != nil {
		return f, nil
	}
	for _, t := range []reflect.Type{arg, result} {
		if _, err := codecOf(t); err != nil {
			return nil, within(describe(fv.pc), err)
		}
	}
	def, err := define(p.host, fv, runner, s, target)
	if err != nil {
		return nil, err
	}
	return p.funcs.put(k, &function{pc: fv.pc, def: def}), nil
}

// functions are those that a pool was given, by func value and types. It is no
// sync.Map: that is generic below, and whoever calls Map would compile it.
type functions struct {
	mu    sync.RWMutex
	known map[functionKey]*function
}

type functionKey struct {
	fn     *funcval // of static data, since it captures nothing
	runner uintptr
	target bool
}

func (f *functions) get(k functionKey) *function {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.known[k]
}

// put returns the function that has the key, which another may have put first.
func (f *functions) put(k functionKey, fn *function) *function {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.known[k]; known != nil {
		return known
	}
	if f.known == nil {
		f.known = make(map[functionKey]*function)
	}
	f.known[k] = fn
	return fn
}

// localCall makes the call of fn in this process, with a job's context.
func localCall[R, A, F any](ctx context.Context, fn F, target bool) func(A) (R, error) {
	s := shapeOf[F](target)
	return func(a A) (R, error) { return protect[R](ctx, fn, s, a) }
}

// inPlace makes a call that does not depend on its place in the job.
func inPlace[A, R any](call func(A) (R, error)) func(int, A) (R, error) {
	return func(_ int, a A) (R, error) { return call(a) }
}

// jobContext is ctx that ends also when the pool does.
func (p *pool) jobContext(ctx context.Context) (context.Context, func()) {
	inner, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.ctx, func() { cancel(context.Cause(p.ctx)) })
	return inner, func() {
		stop()
		cancel(nil)
	}
}
