package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/progresshost"
)

// A mapJob is one Map. Its chunks are parts of one.
type mapJob struct {
	st    jobState
	whole *chunk
	taken int // guarded by pool.mu

	mu      sync.Mutex
	pending int     // tasks without an outcome
	done    []Range // tasks with one
	bad     bool    // some of them failed
	settled chan struct{}

	progress *progress
}

func (j *mapJob) state() *jobState { return &j.st }
func (j *mapJob) left() int        { return j.whole.n - j.taken }
func (j *mapJob) isListed() bool   { return true }

func (j *mapJob) take(max int) *chunk {
	from := j.taken
	to := min(from+max, j.whole.n)
	if from == to {
		return nil
	}
	j.taken = to
	return j.whole.part(from, to)
}

// Map is Map for a row of n arguments. It returns the row of the results, or
// nil if no task began. report may be nil.
func (p *Pool) Map(ctx context.Context, fn call.Function, args unsafe.Pointer, n int, report func(done, total int)) (unsafe.Pointer, error) {
	f, err := p.prepare(&fn)
	if err != nil {
		return nil, err
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	if n == 0 {
		return nil, context.Cause(ctx)
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	j := &mapJob{st: jobState{fn: f, depth: taskDepth()}, pending: n, settled: make(chan struct{})}
	j.whole = &chunk{st: &j.st, kind: &fn, n: n, args: args, out: fn.Result.Room(n), errs: new(faults)}
	if report == nil && j.st.depth == 0 && progresshost.Hosted() {
		defer progresshost.Begin(progresshost.Task{What: "tasks", Count: j.count})()
	}
	out, err := j.run(ctx, p, report)
	if late := j.progress.end(ctx, err == nil); late != nil && err == nil {
		err = &MapFailure{Err: late, At: -1, Done: []Range{{0, n}}}
	}
	return out, err
}

// run has the pool do the tasks.
func (j *mapJob) run(ctx context.Context, p *Pool, report func(done, total int)) (unsafe.Pointer, error) {
	defer p.finished(1)
	inner, cancel := p.jobContext(ctx)
	defer cancel()
	failed := make(chan struct{})
	var once sync.Once
	fail := func() { once.Do(func() { close(failed) }) }
	j.progress = newProgress(report, j.whole.n, fail)
	j.whole.do = j.whole.kind.Bind(inner, p.o.TaskTimeout)
	j.whole.sink = func(c *chunk, from, to int) { j.outcome(c, from, to, fail) }
	p.offer(j)
	defer StartHelper(j.st.depth)()
	select {
	case <-j.settled:
	case <-failed:
	case <-ctx.Done():
	}
	return j.result(ctx, p)
}

// count returns how many tasks have ended, and of how many.
func (j *mapJob) count() (done, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.whole.n - j.pending, j.whole.n
}

// outcome notes settled tasks.
func (j *mapJob) outcome(c *chunk, from, to int, failed func()) {
	bad := !c.errs.none()
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := from; bad && !j.bad && i < to; i++ {
		j.bad = c.err(i) != nil
	}
	j.done = addPlaces(j.done, Range{c.base + from, c.base + to})
	if j.bad {
		failed()
	}
	j.pending -= to - from
	j.progress.set(j.whole.n-j.pending, j.whole.n)
	if j.pending == 0 {
		close(j.settled)
	}
}

// result returns the results, or after an error a copy of those that there are,
// since tasks that still run write theirs.
func (j *mapJob) result(ctx context.Context, p *Pool) (unsafe.Pointer, error) {
	out, e := j.outcomes()
	if e == nil {
		return out, nil
	}
	switch reportErr := j.progress.failure(); {
	case e.At >= 0:
		e.Err = itemError(e.At, e.Failed[e.At])
	case reportErr != nil:
		e.Err = reportErr
	default:
		e.Err = context.Cause(ctx)
	}
	p.stop(&j.st, e.Err)
	return out, e
}

func (j *mapJob) outcomes() (unsafe.Pointer, *MapFailure) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending == 0 && !j.bad {
		return j.whole.out, nil
	}
	e := &MapFailure{Failed: make(map[int]error), At: -1}
	out := j.whole.kind.Result.Room(j.whole.n)
	for _, s := range j.done {
		j.collect(s, e, out)
	}
	return out, e
}

// collect takes over the outcomes of a range.
func (j *mapJob) collect(s Range, e *MapFailure, out unsafe.Pointer) {
	result := &j.whole.kind.Result
	from := s.From
	for i := s.From; i < s.To; i++ {
		err := j.whole.err(i)
		if err == nil {
			result.Move(result.At(out, i), j.whole.result(i))
			continue
		}
		if e.Failed[i] = err; e.At < 0 || i < e.At {
			e.At = i
		}
		if from < i {
			e.Done = append(e.Done, Range{from, i})
		}
		from = i + 1
	}
	if from < s.To {
		e.Done = append(e.Done, Range{from, s.To})
	}
}

func itemError(i int, err error) error { return failure.Wrap(fmt.Sprint("task ", i), err) }

// prepare checks that c can run on p, and with its types.
func (p *Pool) prepare(c *call.Function) (*function, error) {
	if c.Fn == nil {
		return nil, errors.New("mp: the function is nil")
	}
	if !p.processes {
		return &function{pc: c.Fn.PC}, nil
	}
	if p.host.Captures(call.AddressOf(c.Fn), c.Fn.PC) {
		return nil, program.CaptureError(c.Fn.PC)
	}
	k := functionKey{c.Fn, call.RunnerPC(c.Runner), c.Target}
	if f := p.funcs.get(k); f != nil {
		return f, nil
	}
	if _, _, err := call.Codecs(c); err != nil {
		return nil, failure.Wrap(program.Describe(c.Fn.PC), err)
	}
	def, err := process.Define(p.host, c)
	if err != nil {
		return nil, err
	}
	return p.funcs.put(k, &function{pc: c.Fn.PC, def: def}), nil
}

// functions are those that a pool was given, by func value and types.
type functions struct {
	mu    sync.RWMutex
	known map[functionKey]*function
}

type functionKey struct {
	fn     *call.Funcval // of static data, since it captures nothing
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
func (p *Pool) jobContext(ctx context.Context) (context.Context, func()) {
	inner, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.ctx, func() { cancel(context.Cause(p.ctx)) })
	return inner, func() {
		stop()
		cancel(nil)
	}
}

// A MapFailure is the error of a Map that ended before all its tasks had succeeded.
type MapFailure struct {
	Err    error         // why
	Failed map[int]error // of the tasks that failed, by place
	At     int           // the lowest place, or -1
	Done   []Range       // tasks that succeeded
}

// Error returns the text of Err.
func (e *MapFailure) Error() string { return e.Err.Error() }

// Range are a range of tasks: those from the first place to before the second.
type Range struct{ From, To int }

// addPlaces adds s, to the last span if that ends where s begins.
func addPlaces(all []Range, s Range) []Range {
	if n := len(all); n > 0 && all[n-1].To == s.From {
		all[n-1].To = s.To
		return all
	}
	return append(all, s)
}
