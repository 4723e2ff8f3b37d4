package pool

import (
	"context"
	"fmt"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Future is the part of an mp.Future that does not depend on its type.
type Future struct {
	Done   chan struct{}
	Cancel func(cause error)
	Key    string // key that the task finds in its context in a child process; set before Submit
	depth  int    // nesting depth of its task

	mu      sync.Mutex
	settled bool
	kind    call.Elem      // type of the result
	result  unsafe.Pointer // where to store it
	err     error
	unhook  func() bool // ends the effect of Submit's context
}

// Wait waits for the outcome and returns the error of the task. If ctx ends first, ready is
// false, and err wraps failure.ErrRunning and the cause of ctx.
//
//go:noinline
func (f *Future) Wait(ctx context.Context) (ready bool, err error) {
	select {
	case <-f.Done:
		tracing.ReceiveLocal(tracing.KindLocalResult, unsafe.Pointer(f), 0)
		return true, f.err
	default:
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	defer StartHelper(f.depth)()
	select {
	case <-f.Done:
		tracing.ReceiveLocal(tracing.KindLocalResult, unsafe.Pointer(f), 0)
		return true, f.err
	case <-ctx.Done():
		return false, fmt.Errorf("%w, but the context of the wait has ended: %w", failure.ErrRunning, context.Cause(ctx))
	}
}

// settle stores the outcome, if none is stored yet, and reports whether it did. r may
// be nil if err is not.
func (f *Future) settle(r unsafe.Pointer, err error) bool {
	f.mu.Lock()
	if f.settled {
		f.mu.Unlock()
		return false
	}
	f.settled, f.err = true, err
	if err == nil {
		f.kind.Move(f.result, r)
	}
	unhook := f.unhook
	f.mu.Unlock()
	close(f.Done)
	if unhook != nil {
		unhook()
	}
	return true
}

func (f *Future) isSettled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settled
}

// A submission is one task of a submitJob.
type submission struct {
	arg unsafe.Pointer
	f   *Future
	do  func(i int, a, r unsafe.Pointer) error // runs the task in this process
	c   *chunk                                 // the chunk that has the task; nil before take; guarded by submitJob.mu
	at  int                                    // its index in c
}

// A submitJob collects the tasks that are submitted for one function, so that many
// small tasks become one batch.
type submitJob struct {
	st   jobState
	p    *Pool
	kind *call.Function // tells the types

	mu      sync.Mutex
	pending []*submission
	listed  bool
}

// Open prepares f for Submit. kind is the type of the task's result, which is stored at the
// address result.
func (f *Future) Open(kind call.Elem, result unsafe.Pointer) {
	f.Done, f.Cancel, f.kind, f.result = make(chan struct{}), func(error) {}, kind, result
}

// Fail makes err the outcome of f, unless f has an outcome already.
func (f *Future) Fail(err error) { f.settle(nil, err) }

func (p *Pool) Submit(ctx context.Context, fn *call.Function, arg unsafe.Pointer, f *Future) error {
	prepared, err := p.prepare(fn)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	ctx, release := mphost.WithCancel(ctx)
	inner, cancel := context.Background(), release
	s := &submission{arg: arg, f: f}
	if !p.processes {
		if fn.Shape&call.TakesContext != 0 {
			var stop func()
			inner, stop = p.jobContext(ctx)
			cancel = func() { stop(); release() }
			f.unhook = func() bool { cancel(); return true }
		}
		s.do = fn.Bind(inner, p.o.TaskTimeout)
	}
	f.depth = taskDepth()
	j, err := p.submitJobFor(prepared, fn, f.depth)
	if err != nil {
		cancel()
		return err
	}
	f.Cancel = func(cause error) {
		cancel()
		j.abandon(s, cause)
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { f.Cancel(context.Cause(ctx)) })
		f.mu.Lock()
		f.unhook = func() bool {
			stopped := stop() // first, since cancel ends the context
			cancel()
			return stopped
		}
		f.mu.Unlock()
	}
	j.add(s)
	return nil
}

// A submitKey identifies a submitJob of a pool: by the types, the depth, and the
// function if the workers are processes.
type submitKey struct {
	fn          *function
	arg, result any
	depth       int
}

func (p *Pool) submitJobFor(fn *function, c *call.Function, depth int) (*submitJob, error) {
	k := submitKey{fn, c.Arg.Pointer, c.Result.Pointer, depth}
	if !p.processes {
		k.fn = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.beginLocked(); err != nil {
		return nil, err
	}
	if j := p.subs[k]; j != nil {
		return j, nil
	}
	j := &submitJob{st: jobState{fn: fn, depth: depth}, p: p, kind: c}
	p.subs[k] = j
	return j, nil
}

func (j *submitJob) state() *jobState { return &j.st }

func (j *submitJob) isListed() bool { return true }

func (j *submitJob) left() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.pending)
}

func (j *submitJob) add(s *submission) {
	j.p.trace(tracing.SendLocal, tracing.KindLocalBatch, unsafe.Pointer(s), 0)
	j.mu.Lock()
	j.pending = append(j.pending, s)
	tell := !j.listed
	j.listed = true
	j.mu.Unlock()
	if tell {
		j.p.offer(j)
	}
}

func (j *submitJob) take(max int) *chunk {
	j.mu.Lock()
	defer j.mu.Unlock()
	var tasks []*submission
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
	c := &chunk{
		st: &j.st, kind: j.kind, errs: new(faults), n: len(tasks),
		args: j.kind.Arg.Room(len(tasks)), out: j.kind.Result.Room(len(tasks)),
		do:      func(i int, a, r unsafe.Pointer) error { return tasks[i].do(i, a, r) },
		sink:    func(c *chunk, from, to int) { j.settled(tasks, c, from, to) },
		origin:  func(i int) unsafe.Pointer { return unsafe.Pointer(tasks[i]) },
		dropped: func(i int) bool { return tasks[i].f.isSettled() },
		key:     func(i int) string { return tasks[i].f.Key },
	}
	for i, s := range tasks {
		j.kind.Arg.Move(c.arg(i), s.arg)
		s.c, s.at = c, i
	}
	return c
}

func (j *submitJob) settled(tasks []*submission, c *chunk, from, to int) {
	for i := from; i < to; i++ {
		f := tasks[c.base+i].f
		j.p.trace(tracing.SendLocal, tracing.KindLocalResult, unsafe.Pointer(f), 0)
		f.settle(c.result(i), c.err(i))
	}
	j.p.finished(to - from)
}

// abandon settles the Future of a task that is no longer waited for with the error
// cause, and stops the task.
func (j *submitJob) abandon(s *submission, cause error) {
	if !s.f.settle(nil, cause) {
		return
	}
	j.mu.Lock()
	c, at := s.c, s.at
	j.mu.Unlock()
	if c == nil { // take will skip it
		j.p.finished(1)
		return
	}
	j.p.cancelTask(func(q *chunk) (int, bool) {
		if q.errs != c.errs {
			return 0, false
		}
		return at - q.base, q.base <= at && at < q.base+q.n
	})
}
