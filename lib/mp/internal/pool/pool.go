// Package pool runs tasks of functions of any types on a fixed number of workers, which are
// goroutines or child processes.
package pool

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Pool implements mp.Pool.
type Pool struct {
	processes bool // the workers are processes
	o         Options
	host      mphost.Host   // for worker processes
	to        process.Sinks // where their output goes
	ctx       context.Context
	cancel    context.CancelCauseFunc
	running   sync.WaitGroup
	funcs     functions
	done      atomic.Int64 // tasks that have ended; counted before their waiters are woken

	mu       sync.Mutex
	wake     *sync.Cond // for shutdown and stop
	jobs     []job      // jobs that may have tasks, taken from in turn
	back     []*chunk   // tasks that were handed back; taken first
	workers  map[*worker]bool
	sleeping []*worker           // workers that wait for tasks
	looking  bool                // lookAgain is going to be called
	open     int                 // number of unfinished jobs and submitted tasks
	nested   bool                // some job was started by a task
	streams  map[*streamJob]bool // streams that may still get tasks
	closed   bool
	broken   error // why no task runs any more; nil while the pool works
	failed   deaths
	stats    counts                   // except for Done
	subs     map[submitKey]*submitJob // submitted tasks, by function and types
}

func New(processes bool, o Options) (*Pool, error) {
	p := &Pool{processes: processes, o: o, to: process.NewSinks(o.Options, true), workers: make(map[*worker]bool), subs: make(map[submitKey]*submitJob), streams: make(map[*streamJob]bool)}
	p.wake = sync.NewCond(&p.mu)
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	if p.o.Workers == 0 {
		p.o.Workers = Cores()
	}
	if processes {
		return p, p.startWorkers()
	}
	for range p.o.Workers {
		p.running.Go(p.goroutine)
	}
	return p, nil
}

// startWorkers starts the first worker processes, all at once.
func (p *Pool) startWorkers() error {
	h, err := mphost.Current()
	if err != nil {
		return err
	}
	p.host = h
	if p.o.Initializer != nil {
		if err := defineInitializer(p.o.Initializer, h); err != nil {
			return err
		}
	}
	p.o.Env = append(childEnv(p.o.Workers), p.o.Env...)
	errs := make([]error, p.o.Workers)
	var starting sync.WaitGroup
	for i := range p.o.Workers {
		starting.Go(func() { errs[i] = p.startWorker() })
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		p.breakDown(err)
		p.shutdown()
		return err
	}
	return nil
}

// shutdown waits until all tasks are done, and ends the workers.
func (p *Pool) shutdown() {
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
		p.broken = shm.ErrClosed
	}
	p.wakeAllLocked()
	p.mu.Unlock()
	p.running.Wait()
	p.cancel(shm.ErrClosed)
}

// breakDown ends the pool with err: pending and running tasks fail with it, and workers
// are killed.
func (p *Pool) breakDown(err error) {
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

// begin counts a new job, or returns an error if the pool takes none.
func (p *Pool) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.beginLocked()
}

func (p *Pool) beginLocked() error {
	if p.broken != nil {
		return p.broken
	}
	if p.closed {
		return shm.ErrClosed
	}
	p.open++
	return nil
}

// finished counts n jobs or submitted tasks as finished.
func (p *Pool) finished(n int) {
	p.mu.Lock()
	p.open -= n
	idle := p.open == 0
	p.mu.Unlock()
	if idle {
		p.wake.Broadcast()
	}
}

// offer adds j, which has tasks to take, to the pool's list and wakes workers.
func (p *Pool) offer(j job) {
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

func (p *Pool) takeLocked(j job) *chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	return j.take(maxBatch)
}

// trace logs with log that tasks or results are handed over, if the workers are
// goroutines: processes log what they send.
func (p *Pool) trace(log func(kind string, key unsafe.Pointer, seq int), kind string, key unsafe.Pointer, seq int) {
	if !p.processes {
		log(kind, key, seq)
	}
}

// stop ends a job with the error cause: none of its tasks begins any more, and running
// tasks are canceled. The outcomes arrive as errors.
func (p *Pool) stop(st *jobState, cause error) {
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

// Targets for the duration of a batch: long compared to the cost of sending it, short
// compared to what users notice.
const (
	batchTime      = time.Millisecond
	batchTimeLocal = 50 * time.Microsecond
	maxBatch       = 1 << 16
	maxReplyBytes  = 4 << 20 // limit of the results of a batch, if their encoding is their memory
)

// measured adapts the size of a job's batches: n tasks took the time elapsed.
func (p *Pool) measured(st *jobState, n int, elapsed time.Duration) {
	if n == 0 {
		return
	}
	per := max(elapsed/time.Duration(n), 1)
	if st.perTask > 0 {
		per = (st.perTask + per) / 2
	}
	st.perTask = per
	target := batchTime
	if !p.processes {
		target = batchTimeLocal
	}
	st.size = max(1, min(int(target/per), 4*max(n, st.size), maxBatch))
}
