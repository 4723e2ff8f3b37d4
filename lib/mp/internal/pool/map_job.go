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
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/progresshost"
)

// A mapJob is one Map. All its chunks are parts of whole.
type mapJob struct {
	st    jobState
	whole *chunk
	taken int // guarded by Pool.mu

	mu      sync.Mutex
	pending int     // tasks without an outcome
	done    []Range // tasks with an outcome
	bad     bool    // some tasks failed
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

// Map implements mp.Map for n arguments in an array. It returns the array of results,
// or nil if no task began. report may be nil.
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

// run gives the tasks to the pool and waits for the outcome.
func (j *mapJob) run(ctx context.Context, p *Pool, report func(done, total int)) (unsafe.Pointer, error) {
	defer p.finished(1)
	inner, cancel := p.jobContext(ctx)
	defer cancel()
	failed := make(chan struct{})
	var once sync.Once
	fail := func() { once.Do(func() { close(failed) }) }
	j.progress = newProgress(report, j.whole.n, fail)
	j.whole.do = j.whole.kind.Bind(inner, p.o.TaskTimeout)
	j.whole.sink = func(c *chunk, from, to int) { j.outcome(p, c, from, to, fail) }
	p.trace(tracing.SendLocal, tracing.KindLocalBatch, unsafe.Pointer(&j.st), 0)
	p.offer(j)
	defer StartHelper(j.st.depth)()
	select {
	case <-j.settled:
		p.trace(tracing.ReceiveLocal, tracing.KindLocalResult, unsafe.Pointer(&j.st), 0)
	case <-failed:
	case <-ctx.Done():
	}
	return j.result(ctx, p)
}

// count returns how many tasks have ended, and how many there are.
func (j *mapJob) count() (done, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.whole.n - j.pending, j.whole.n
}

// outcome records that the tasks of c from from to before to are settled.
func (j *mapJob) outcome(p *Pool, c *chunk, from, to int, failed func()) {
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
		p.trace(tracing.SendLocal, tracing.KindLocalResult, unsafe.Pointer(&j.st), 0)
		close(j.settled)
	}
}

// result returns the results. After an error it returns a copy of the available ones,
// since tasks that still run may write into the original.
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

// collect copies the outcomes of a range to out and e.
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

// prepare checks that p can run c, and that the argument and result can be sent.
func (p *Pool) prepare(c *call.Function) (*function, error) {
	if c.Fn == nil {
		return nil, errors.New("mp: the function to run is nil")
	}
	if p.o.Remote != nil {
		return p.prepareRemote(c)
	}
	if !p.processes {
		return &function{pc: c.Fn.PC}, nil
	}
	if !c.Named && p.host.Captures(call.AddressOf(c.Fn), c.Fn.PC) {
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

// functions caches the functions that were prepared for a pool, by func value and types.
type functions struct {
	mu    sync.RWMutex
	known map[functionKey]*function
}

type functionKey struct {
	fn     *call.Funcval // static data, since the function captures nothing
	runner uintptr
	target bool
}

func (f *functions) get(k functionKey) *function {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.known[k]
}

// put stores fn and returns it, or the function that is already stored under the key.
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

// jobContext returns a context that ends when ctx or the pool ends.
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
	Err    error         // why the Map ended
	Failed map[int]error // errors of the tasks that failed, by index
	At     int           // the lowest index in Failed, or -1
	Done   []Range       // tasks that succeeded
}

// Error returns the text of Err.
func (e *MapFailure) Error() string { return e.Err.Error() }

// A Range is the range of tasks with indexes from From up to, but not including, To.
type Range struct{ From, To int }

// addPlaces adds s to all. It extends the last range if that ends where s begins.
func addPlaces(all []Range, s Range) []Range {
	if n := len(all); n > 0 && all[n-1].To == s.From {
		all[n-1].To = s.To
		return all
	}
	return append(all, s)
}
