package mp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// ErrClosed is the error of tasks for a Pool or Queue that was closed.
var ErrClosed = shm.ErrClosed

// A Pool runs tasks on a fixed number of workers, goroutines or child
// processes, that stay between uses. The zero Pool runs them on goroutines,
// one for each core. Tasks come by Map, Stream, StreamUnordered, ForEach and
// Submit, from any number of goroutines.
//
// Short tasks travel in batches whose size follows from how long tasks take.
// A batch's unstarted tasks move to another worker that has nothing to do, and
// finished ones are reported within milliseconds though a later one takes long.
//
// When a worker process dies, a new one takes its place, and the tasks that it
// had not begun go to others. Those it had begun fail with an *ExitError, or
// run again if the pool has Retries; so may others that it had finished in its
// last two milliseconds.
type Pool struct {
	once sync.Once
	in   any // *pool: what a cell can reach from here it compiles
}

// NewPool starts a pool. Without the option Workers there is one for each core
// that this process may use.
func NewPool(b Backend, opts ...PoolOption) (*Pool, error) {
	o, err := poolOptions(b, opts)
	if err != nil {
		return nil, err
	}
	in, err := newPool(b, o)
	if err != nil {
		return nil, err
	}
	p := &Pool{in: in}
	p.once.Do(func() {})
	runtime.AddCleanup(p, func(in *pool) { go in.close() }, in)
	return p, nil
}

func poolOf(p *Pool) *pool {
	if p == nil {
		panic(nilError("Pool"))
	}
	p.once.Do(func() {
		in, _ := newPool(Goroutines, newOptions()) // goroutines cannot fail to start
		p.in = in
		runtime.AddCleanup(p, func(in *pool) { go in.close() }, in)
	})
	return p.in.(*pool)
}

// Close waits until the tasks that the pool has are done, and ends its
// workers. Tasks that come later fail with ErrClosed; a stream takes no more
// from its sequence, and ends with ErrClosed after the results that it has. A
// task that calls Close gets an error. So does who closes a pool whose Stdout or
// Stderr could not be written. A pool that nobody refers to any more is closed
// by itself.
func (p *Pool) Close() error {
	if p == nil {
		return nilError("Pool")
	}
	in := poolOf(p)
	if w := currentWorker(); w != nil && w.p == in {
		return errCloseInTask
	}
	in.close()
	return in.to.failure()
}

// Kill ends the workers at once. Tasks that are not done fail with ErrClosed.
// Goroutines cannot be killed: their contexts are cancelled and Kill waits, but
// for the task that calls it.
func (p *Pool) Kill() {
	in := poolOf(p)
	in.breakDown(ErrClosed)
	if w := currentWorker(); w == nil || w.p != in {
		in.close()
	}
}

// Workers returns how many workers the pool has.
func (p *Pool) Workers() int { return poolOf(p).o.workers }

// String tells what the pool consists of and has done.
func (p *Pool) String() string {
	if p == nil {
		return "<nil>"
	}
	in := poolOf(p)
	kind := "goroutines"
	if in.backend == Processes {
		kind = "processes"
	}
	if in.o.workers == 1 {
		kind = map[string]string{"goroutines": "goroutine", "processes": "process"}[kind]
	}
	return fmt.Sprintf("a pool of %d %s, %d tasks done", in.o.workers, kind, p.Stats().Done)
}

// Stats are counts since the pool was made.
type Stats struct {
	Done     int // tasks that ended, with or without an error
	Retried  int // tasks that began again because their worker died
	Restarts int // worker processes that were started in place of another
}

// Stats returns the pool's counts.
func (p *Pool) Stats() Stats {
	in := poolOf(p)
	in.mu.Lock()
	defer in.mu.Unlock()
	s := in.stats
	s.Done = int(in.done.Load())
	return s
}

type pool struct {
	backend Backend
	o       options
	host    mphost.Host // of processes
	to      sinks       // of their output
	ctx     context.Context
	cancel  context.CancelCauseFunc
	running sync.WaitGroup
	funcs   functions
	done    atomic.Int64 // tasks that have ended, counted before those who wait for them know

	mu       sync.Mutex
	wake     *sync.Cond // for close and stop
	jobs     []job      // that may have tasks to take, in turn
	back     []*chunk   // handed back; taken before anything else
	workers  map[*worker]bool
	sleeping []*worker           // that wait for tasks
	looking  bool                // lookAgain will be called
	open     int                 // jobs and submitted tasks that are not finished
	nested   bool                // some job was handed over by a task
	streams  map[*streamJob]bool // that may still get tasks
	closed   bool
	broken   error // why no task runs any more
	failed   deaths
	stats    Stats                    // but for Done
	subs     map[submitKey]*submitJob // submitted tasks, by function and types
}

func newPool(b Backend, o options) (*pool, error) {
	p := &pool{backend: b, o: o, to: newSinks(o, true), workers: make(map[*worker]bool), subs: make(map[submitKey]*submitJob), streams: make(map[*streamJob]bool)}
	p.wake = sync.NewCond(&p.mu)
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	if p.o.workers == 0 {
		p.o.workers = Cores()
	}
	switch b {
	case Goroutines:
		for range p.o.workers {
			p.running.Go(p.goroutine)
		}
		return p, nil
	case Processes:
		return p, p.startWorkers()
	}
	return nil, fmt.Errorf("mp: %v", b)
}

// startWorkers starts the first worker processes, all at once.
func (p *pool) startWorkers() error {
	h, err := mphost.Current()
	if err != nil {
		return err
	}
	p.host = h
	if p.o.initializer != nil {
		if err := defineInitializer(p.o.initializer, h); err != nil {
			return err
		}
	}
	p.o.env = append(childEnv(p.o.workers), p.o.env...)
	errs := make([]error, p.o.workers)
	var starting sync.WaitGroup
	for i := range p.o.workers {
		starting.Go(func() { errs[i] = p.startWorker() })
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		p.breakDown(err)
		p.close()
		return err
	}
	return nil
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	streams := slices.Collect(maps.Keys(p.streams))
	p.mu.Unlock()
	for _, j := range streams {
		j.closeInput()
	}
	p.mu.Lock()
	for p.open > 0 && p.broken == nil {
		p.wake.Wait()
	}
	if p.broken == nil {
		p.broken = ErrClosed
	}
	p.wakeAllLocked()
	p.mu.Unlock()
	p.running.Wait()
	p.cancel(ErrClosed)
}

// breakDown ends everything: pending and running tasks fail with err.
func (p *pool) breakDown(err error) {
	p.mu.Lock()
	if p.broken == nil {
		p.broken = err
	}
	jobs, back := p.jobs, p.back
	p.jobs, p.back, p.closed = nil, nil, true
	var lost []*chunk
	for _, j := range jobs {
		for c := j.take(maxBatch); c != nil; c = j.take(maxBatch) {
			lost = append(lost, c)
		}
	}
	workers := make([]*worker, 0, len(p.workers))
	for w := range p.workers {
		workers = append(workers, w)
	}
	p.mu.Unlock()
	p.cancel(err)
	p.wakeAll()
	for _, c := range append(lost, back...) {
		c.fail(0, c.size(), err)
	}
	for _, w := range workers {
		w.kill()
	}
}

// begin opens a job that may offer tasks from now on.
func (p *pool) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.beginLocked()
}

func (p *pool) beginLocked() error {
	if p.broken != nil {
		return p.broken
	}
	if p.closed {
		return ErrClosed
	}
	p.open++
	return nil
}

// finished closes a job.
func (p *pool) finished(n int) {
	p.mu.Lock()
	p.open -= n
	idle := p.open == 0
	p.mu.Unlock()
	if idle {
		p.wake.Broadcast()
	}
}

// offer tells the pool that j has tasks to take.
func (p *pool) offer(j job) {
	p.mu.Lock()
	broken := p.broken
	if broken == nil {
		p.jobs = append(p.jobs, j)
		p.nested = p.nested || j.state().depth > 0
		if n := j.left(); n >= 0 {
			p.wakeForLocked(n)
		} else {
			p.wakeForLocked(1)
		}
	}
	p.mu.Unlock()
	if broken != nil {
		for c := p.takeLocked(j); c != nil; c = p.takeLocked(j) {
			c.fail(0, c.size(), broken)
		}
	}
}

func (p *pool) takeLocked(j job) *chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	return j.take(maxBatch)
}

// stop ends a job: none of its tasks begins any more, and those that run are
// cancelled. Their outcomes arrive as errors.
func (p *pool) stop(st *jobState, cause error) {
	p.mu.Lock()
	if st.stopped != nil {
		p.mu.Unlock()
		return
	}
	st.stopped = cause
	var lost []*chunk
	p.back = deleteIf(p.back, func(c *chunk) bool {
		if c.state() == st {
			lost = append(lost, c)
		}
		return c.state() == st
	})
	p.jobs = deleteIf(p.jobs, func(j job) bool {
		if j.state() == st {
			for c := j.take(maxBatch); c != nil; c = j.take(maxBatch) {
				lost = append(lost, c)
			}
		}
		return j.state() == st
	})
	for w := range p.workers {
		lost = append(lost, w.recallLocked(st)...)
	}
	for st.encoding > 0 {
		p.wake.Wait()
	}
	p.wakeAllLocked()
	p.mu.Unlock()
	for _, c := range lost {
		c.fail(0, c.size(), cause)
	}
}

func deleteIf[T any](s []T, del func(T) bool) []T {
	kept := s[:0:0]
	for _, v := range s {
		if !del(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// targets of how long a batch takes: long against the cost of sending one,
// short against what people notice.
const (
	batchTime      = time.Millisecond
	batchTimeLocal = 50 * time.Microsecond
	maxBatch       = 1 << 16
	maxBatchBytes  = 1 << 20
	maxReplyBytes  = 4 << 20 // of results that are their own encoding
)

// measured adapts the size of a job's batches to how long n tasks took.
func (p *pool) measured(st *jobState, n int, elapsed time.Duration) {
	if n == 0 {
		return
	}
	per := max(elapsed/time.Duration(n), 1)
	if st.perTask > 0 {
		per = (st.perTask + per) / 2
	}
	st.perTask = per
	target := batchTime
	if p.backend == Goroutines {
		target = batchTimeLocal
	}
	st.size = max(1, min(int(target/per), 4*max(n, st.size), maxBatch))
}
