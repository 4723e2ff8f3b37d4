package mp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unsafe"
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
	out := make([]R, len(xs))
	err := mapRow(ctx, p, calleeOf[R, A](fn, false), unsafe.Pointer(unsafe.SliceData(xs)), unsafe.Pointer(unsafe.SliceData(out)), len(xs))
	if err != nil || len(xs) == 0 {
		return nil, err
	}
	return out, nil
}

// ForEach is Map for a function without a result.
func ForEach[A any, F Target[A]](ctx context.Context, p *Pool, fn F, xs []A) error {
	return mapRow(ctx, p, calleeOf[None, A](fn, true), unsafe.Pointer(unsafe.SliceData(xs)), unsafe.Pointer(&nothing), len(xs))
}

// A mapJob is one Map. Its parcels are parts of one.
type mapJob struct {
	st    jobState
	whole *parcel
	taken int // guarded by pool.mu

	mu      sync.Mutex
	pending int // tasks without an outcome
	err     error
	at      int // the place of err
	settled chan struct{}
}

func (j *mapJob) state() *jobState { return &j.st }
func (j *mapJob) left() int        { return j.whole.n - j.taken }
func (j *mapJob) isListed() bool   { return true }

func (j *mapJob) take(max int) *parcel {
	from := j.taken
	to := min(from+max, j.whole.n)
	if from == to {
		return nil
	}
	j.taken = to
	return j.whole.part(from, to)
}

// mapRow is Map for a row of n arguments and room for the results.
//
//go:noinline
func mapRow(ctx context.Context, pool *Pool, fn callee, args, out unsafe.Pointer, n int) error {
	p := poolOf(pool)
	f, err := p.prepare(&fn)
	if err != nil {
		return err
	}
	ctx, release := hosted(ctx)
	defer release()
	if n == 0 {
		return context.Cause(ctx)
	}
	if err := p.begin(); err != nil {
		return err
	}
	defer p.finished(1)
	inner, cancel := p.jobContext(ctx)
	defer cancel()
	j := &mapJob{st: jobState{fn: f, depth: nesting()}, pending: n, settled: make(chan struct{})}
	failed := make(chan struct{})
	var once sync.Once
	j.whole = &parcel{
		st: &j.st, kind: &fn, n: n, args: args, out: out, errs: new(faults), do: fn.here(inner),
		sink: func(c *parcel, from, to int) {
			j.outcome(c, from, to, func() { once.Do(func() { close(failed) }) })
		},
	}
	p.offer(j)
	defer lend(j.st.depth)()
	select {
	case <-j.settled:
	case <-failed:
	case <-ctx.Done():
	}
	return j.result(ctx, p)
}

// outcome counts settled tasks and keeps the first error.
func (j *mapJob) outcome(c *parcel, from, to int, failed func()) {
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

func (j *mapJob) result(ctx context.Context, p *pool) error {
	j.mu.Lock()
	err, at, pending := j.err, j.at, j.pending
	j.mu.Unlock()
	switch {
	case err != nil:
		err = itemError(at, err)
	case pending > 0:
		err = context.Cause(ctx)
	default:
		return nil
	}
	p.stop(&j.st, err)
	return err
}

func itemError(i int, err error) error { return within(fmt.Sprint("task ", i), err) }

// prepare checks that c can run on p, and with its types.
func (p *pool) prepare(c *callee) (*function, error) {
	if c.fn == nil {
		return nil, errors.New("mp: the function is nil")
	}
	if p.backend != Processes {
		return &function{pc: c.fn.pc}, nil
	}
	if p.host.Captures(addressOf(c.fn), c.fn.pc) {
		return nil, captureError(c.fn.pc)
	}
	k := functionKey{c.fn, runnerPC(c.runner), c.target}
	if f := p.funcs.get(k); f != nil {
		return f, nil
	}
	if _, _, err := codecsOf(c); err != nil {
		return nil, within(describe(c.fn.pc), err)
	}
	def, err := define(p.host, c)
	if err != nil {
		return nil, err
	}
	return p.funcs.put(k, &function{pc: c.fn.pc, def: def}), nil
}

// functions are those that a pool was given, by func value and types.
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

// jobContext is ctx that ends also when the pool does.
func (p *pool) jobContext(ctx context.Context) (context.Context, func()) {
	inner, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.ctx, func() { cancel(context.Cause(p.ctx)) })
	return inner, func() {
		stop()
		cancel(nil)
	}
}
