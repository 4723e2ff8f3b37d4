package mp

import (
	"context"
	"fmt"
	"sync"
)

// A Future is the result of a task that was submitted to a pool.
type Future[R any] struct {
	done   chan struct{}
	cancel func(cause error)

	mu      sync.Mutex
	settled bool
	r       R
	err     error
	unhook  func() bool // from the context of Submit
}

// Submit hands fn(arg) to the pool and returns at once. If ctx ends before the
// task does, the task is cancelled as by Cancel. What is wrong with the call is
// the Future's error. The type of the result is the only type argument to
// give: mp.Submit[int](ctx, pool, Square, 7).
func Submit[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, arg A) *Future[R] {
	f := &Future[R]{done: make(chan struct{}), cancel: func(error) {}}
	in := p.get()
	if err := submit(ctx, in, fn, arg, f); err != nil {
		f.settle(f.r, err)
	}
	return f
}

// Done returns a channel that is closed when the result is there.
func (f *Future[R]) Done() <-chan struct{} { return f.done }

// Result waits for the task's result. If ctx ends first, Result returns an
// error that matches ErrRunning and ctx's, and the task goes on.
func (f *Future[R]) Result(ctx context.Context) (R, error) {
	select {
	case <-f.done:
		return f.r, f.err
	default:
	}
	ctx, release := hosted(ctx)
	defer release()
	select {
	case <-f.done:
		return f.r, f.err
	case <-ctx.Done():
		var zero R
		return zero, fmt.Errorf("%w: %w", ErrRunning, context.Cause(ctx))
	}
}

// Cancel gives the task up: the Future's error is context.Canceled unless its
// result is there. A task that has not begun never does. One that runs has its
// context cancelled, and its worker process is killed if it goes on for longer
// than the pool's Grace.
func (f *Future[R]) Cancel() { f.cancel(context.Canceled) }

// settle stores the outcome, once.
func (f *Future[R]) settle(r R, err error) bool {
	f.mu.Lock()
	if f.settled {
		f.mu.Unlock()
		return false
	}
	f.settled, f.r, f.err = true, r, err
	unhook := f.unhook
	f.mu.Unlock()
	close(f.done)
	if unhook != nil {
		unhook()
	}
	return true
}

func (f *Future[R]) isSettled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settled
}

// A submission is one task of a submitJob.
type submission[A, R any] struct {
	arg A
	f   *Future[R]
	run func(A) (R, error) // in this process
	c   *chunk[A, R]       // that some worker has; guarded by submitJob.mu
	at  int                // its place there
}

// A submitJob collects the tasks that are submitted for one function, so that
// many small ones make a batch.
type submitJob[A, R any] struct {
	st jobState
	p  *pool

	mu      sync.Mutex
	pending []*submission[A, R]
	listed  bool
}

func submit[R, A, F any](ctx context.Context, p *pool, fn F, arg A, f *Future[R]) error {
	fn2, err := prepareCall[R, A](p, fn, false)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	ctx, release := hosted(ctx)
	inner, cancel := context.Background(), release
	s := &submission[A, R]{arg: arg, f: f}
	if p.backend == Goroutines {
		if shapeOf[F](false)&takesContext != 0 {
			var stop func()
			inner, stop = p.jobContext(ctx)
			cancel = func() { stop(); release() }
			f.unhook = func() bool { cancel(); return true }
		}
		s.run = localCall[R, A](inner, fn, false)
	}
	j, err := submitJobFor[R, A](p, fn2)
	if err != nil {
		cancel()
		return err
	}
	f.cancel = func(cause error) {
		cancel()
		j.abandon(s, cause)
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { f.cancel(context.Cause(ctx)) })
		f.mu.Lock()
		f.unhook = func() bool {
			stopped := stop() // before the context ends by cancel
			cancel()
			return stopped
		}
		f.mu.Unlock()
	}
	j.add(s)
	return nil
}

// submitJobFor returns the job of a function's submitted tasks. Those on
// goroutines share one for each pair of types, since each brings its own call.
func submitJobFor[R, A any](p *pool, fn *function) (*submitJob[A, R], error) {
	type key struct {
		fn *function
		_  *submitJob[A, R] // only its type counts
	}
	k := key{fn: fn}
	if p.backend == Goroutines {
		k.fn = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.beginLocked(); err != nil {
		return nil, err
	}
	if j, ok := p.subs[k].(*submitJob[A, R]); ok {
		return j, nil
	}
	j := &submitJob[A, R]{st: jobState{fn: fn}, p: p}
	p.subs[k] = j
	return j, nil
}

func (j *submitJob[A, R]) state() *jobState { return &j.st }

func (j *submitJob[A, R]) left() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.pending)
}

func (j *submitJob[A, R]) add(s *submission[A, R]) {
	j.mu.Lock()
	j.pending = append(j.pending, s)
	tell := !j.listed
	j.listed = true
	j.mu.Unlock()
	if tell {
		j.p.offer(j)
	}
}

func (j *submitJob[A, R]) take(max int) parcel {
	j.mu.Lock()
	defer j.mu.Unlock()
	var tasks []*submission[A, R]
	for len(j.pending) > 0 && len(tasks) < max {
		s := j.pending[0]
		j.pending[0] = nil
		j.pending = j.pending[1:]
		if !s.f.isSettled() {
			tasks = append(tasks, s)
		}
	}
	if len(tasks) == 0 {
		j.listed = false
		return nil
	}
	c := &chunk[A, R]{
		st: &j.st, errs: new(faults), args: make([]A, len(tasks)), out: make([]R, len(tasks)),
		sink:    func(c *chunk[A, R], from, to int) { j.settled(tasks, c, from, to) },
		dropped: func(i int) bool { return tasks[i].f.isSettled() },
	}
	for i, s := range tasks {
		c.args[i] = s.arg
		s.c, s.at = c, i
	}
	c.run = func(i int, a A) (R, error) { return tasks[i].run(a) }
	return c
}

func (j *submitJob[A, R]) settled(tasks []*submission[A, R], c *chunk[A, R], from, to int) {
	for i := from; i < to; i++ {
		tasks[c.base+i].f.settle(c.out[i], c.err(i))
	}
	j.p.finished(to - from)
}

// abandon settles a future whose task nobody waits for, and stops the task.
func (j *submitJob[A, R]) abandon(s *submission[A, R], cause error) {
	var zero R
	if !s.f.settle(zero, cause) {
		return
	}
	j.mu.Lock()
	c, at := s.c, s.at
	j.mu.Unlock()
	if c == nil { // take will drop it
		j.p.finished(1)
		return
	}
	j.p.cancelTask(func(p parcel) (int, bool) {
		q, ok := p.(*chunk[A, R])
		if !ok || q.errs != c.errs {
			return 0, false
		}
		return at - q.base, q.base <= at && at < q.base+len(q.args)
	})
}
