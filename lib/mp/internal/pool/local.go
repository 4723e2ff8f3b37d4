package pool

import (
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// goroutine runs a worker of a pool of goroutines.
func (p *Pool) goroutine() {
	// The worker runs tasks of all callers, so it must not keep the profiler labels of
	// the goroutine that made the pool. (Notebooks use such labels to attribute output
	// to cells.)
	w := &worker{p: p}
	defer w.enter()()
	p.mu.Lock()
	p.workers[w] = true
	p.mu.Unlock()
	ended := false
	defer func() {
		p.mu.Lock()
		w.gone = true
		delete(p.workers, w)
		p.mu.Unlock()
		if !ended { // a task called runtime.Goexit
			p.running.Go(p.goroutine)
		}
	}()
	if in := p.o.Initializer; in != nil {
		if err := in.run(p.ctx); err != nil {
			ended = true
			go p.breakDown(initializerError(err))
			return
		}
	}
	for f := p.acquire(w); f != nil; f = p.acquire(w) {
		w.runHere(f)
	}
	ended = true
}

// runHere runs a batch in the calling goroutine.
func (w *worker) runHere(f *inflightBatch) {
	p := w.p
	p.mu.Lock()
	st := f.chunk.state()
	w.depth.Store(int32(st.depth))
	st.encoding--
	f.budget.Grant(f.n)
	f.granted = true
	if st.stopped != nil {
		f.budget.Recall(0)
		p.wake.Broadcast() // stop waits until no arguments are being encoded
	}
	many := f.n > 1
	p.begunLocked(f)
	p.mu.Unlock()
	r := localRun{w: w, f: f, since: time.Now()}
	if many {
		r.flushSlow()
	}
	returned := false
	defer func() {
		if !returned {
			n := int(r.done.Load())
			f.chunk.setError(n, failure.ErrGoexit)
			r.done.Store(int64(n + 1))
		}
		r.report(true)
	}()
	f.chunk.traceBegin()
	for r.runTasks() {
	}
	returned = true
}

// runTasks runs the tasks of the batch. It returns after a panic, with more true: call it
// again. (To recover in each task would double the time of a tiny one.)
func (r *localRun) runTasks() (more bool) {
	n, chunk := 0, r.f.chunk
	defer func() {
		if v := recover(); v != nil {
			chunk.setError(n, failure.NewPanicError(v))
			r.done.Store(int64(n + 1))
			more = true
		}
	}()
	for {
		i, ok := r.f.budget.Claim()
		if !ok {
			return false
		}
		n = i
		r.w.relabel()
		if trace.IsEnabled() {
			chunk.callTraced(n)
		} else {
			chunk.call(n)
		}
		r.done.Store(int64(n + 1))
	}
}

// A localRun runs a batch in a goroutine. It reports finished tasks, even while a later
// one takes long.
type localRun struct {
	w    *worker
	f    *inflightBatch
	done atomic.Int64 // tasks that have returned

	mu      sync.Mutex
	settled int
	over    bool
	since   time.Time
	timer   *time.Timer
}

func (r *localRun) flushSlow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer = time.AfterFunc(protocol.FlushDelay, func() { r.report(false) })
}

func (r *localRun) report(last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.over = last
	n := int(r.done.Load())
	if n > r.settled || last {
		r.w.p.done.Add(int64(n - r.settled))
		r.f.chunk.settle(r.settled, n)
		r.w.p.delivered(r.w, r.f, n-r.settled, time.Since(r.since), last)
		r.settled, r.since = n, time.Now()
	}
	if r.timer != nil && last {
		r.timer.Stop()
	} else if r.timer != nil {
		r.timer.Reset(protocol.FlushDelay)
	}
}
