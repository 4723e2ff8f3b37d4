package pool

import (
	"syscall"
	"time"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// recoverTasks hands back the tasks that a dead worker had not begun. Those that it had
// begun are retried or fail.
func (w *worker) recoverTasks(exit error) {
	p := w.p
	type loss struct {
		c   *chunk
		err error
	}
	var lost []loss
	p.mu.Lock()
	for i, f := range w.inflight {
		begun := f.delivered
		if n, _ := f.budget.Begun(); w.budgets != nil && f.granted {
			begun = min(n, f.n)
		} else if w.budgets == nil && i == 0 {
			begun = f.n
		}
		if rest := f.chunk.part(max(begun, f.delivered), f.n); p.handBackLocked(rest) {
			lost = append(lost, loss{rest, nil})
		}
		w.worked = w.worked || begun > f.delivered
		for k := f.delivered; k < begun; k++ {
			c := f.chunk.part(k, k+1)
			if c.tries < p.o.Retries && w.overdue != (runningTask{f, k}) && c.state().stopped == nil && p.broken == nil {
				p.back = append(p.back, c.retry())
				p.stats.Retried++
			} else {
				p.done.Add(1)
				lost = append(lost, loss{c, exit})
			}
		}
	}
	w.inflight = nil
	w.initializing = w.beginsInitializer()
	p.mu.Unlock()
	for _, l := range lost {
		if why := p.why(l.c.state()); l.err == nil || why != nil {
			l.err = why
		}
		l.c.fail(0, l.c.size(), l.err)
	}
	p.wakeAll()
}

// The pool fails when these numbers of workers have died in a row: maxStartDeaths while they
// started or ran the initializer, with none that became ready, or maxIdleDeaths while they
// were idle, with no finished task. A worker that another process killed by a signal before
// its initializer began counts as idle. On a busy machine with a supervisor that kills slow
// processes this can happen often, and is not the worker's fault.
const (
	maxStartDeaths = 5
	maxIdleDeaths  = 100
)

// deaths counts the workers that died since the last task finished or the last worker
// became ready.
type deaths struct{ starting, idle int }

// count records the death of w. It returns an error if there were too many.
func (d *deaths) count(w *worker, exit error) error {
	switch {
	case w.done > 0 || w.worked:
		return nil
	case w.ready, isEndedByOthers(exit) && !w.initializing:
		d.idle++
	default:
		d.starting++
	}
	switch {
	case d.idle >= maxIdleDeaths:
		return failure.Wrap("too many idle workers of the pool died", exit)
	case d.starting < maxStartDeaths:
		return nil
	case w.p.o.Initializer != nil:
		return failure.Wrap("too many workers of the pool died in its initializer", exit)
	}
	return failure.Wrap("too many workers of the pool died when they started", exit)
}

// isEndedByOthers reports whether another process ended the child by a signal: one that
// a process does not cause itself, and that this process did not send.
func isEndedByOthers(exit error) bool {
	e, ok := exit.(*failure.ExitError)
	if !ok || e.Cause != nil {
		return false
	}
	switch e.Signal {
	case syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP:
		return true
	}
	return false
}

// beginsInitializer reports whether w may have begun the pool's initializer.
func (w *worker) beginsInitializer() bool {
	if w.p.o.Initializer == nil {
		return false
	}
	n, _ := w.budgets.Budget(0).Begun()
	return n > 0 || w.budgets == nil
}

// replace starts a worker in place of w, unless the pool is ending.
func (w *worker) replace(exit error) {
	p := w.p
	p.mu.Lock()
	over := p.broken != nil || (p.closed && p.open == 0)
	tooMany := p.failed.count(w, exit)
	if !over && tooMany == nil {
		p.stats.Restarts++
	}
	p.mu.Unlock()
	if over {
		return
	}
	if tooMany != nil {
		p.breakDown(tooMany)
		return
	}
	if err := p.startWorker(); err != nil {
		p.breakDown(failure.Wrap("cannot replace a worker", err))
	}
}

// recallLocked takes back the tasks of a stopped job that w has not begun, and cancels
// the one that runs.
func (w *worker) recallLocked(st *jobState) (lost []*chunk) {
	for _, f := range w.inflight {
		if f.chunk.state() != st || !f.granted {
			continue
		}
		keep := f.budget.Recall(0)
		if keep < f.n {
			lost = append(lost, f.chunk.part(keep, f.n))
			f.n = keep
		}
		if w.child != nil && keep > 0 {
			go w.cancelTask(f, keep-1)
		}
	}
	return lost
}

// cancelTask cancels one task, if a worker process has it. find returns the index of
// the task in a chunk; ok is false if it is not in it.
func (p *Pool) cancelTask(find func(*chunk) (int, bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.workers {
		for _, f := range w.inflight {
			if i, ok := find(f.chunk); ok && w.child != nil && f.delivered <= i && i < f.n {
				go w.cancelTask(f, i)
			}
		}
	}
}

// cancelTask cancels task i of f. If the task has not begun, it does not begin; if it
// runs, its context is canceled, and the worker is killed if the task still runs after
// the pool's grace.
func (w *worker) cancelTask(f *inflightBatch, i int) {
	var timer *time.Timer
	check := func() {
		w.p.mu.Lock()
		defer w.p.mu.Unlock()
		if w.gone || f.delivered > i || i >= f.n {
			return
		}
		begun := 0
		if f.granted {
			begun, _ = f.budget.Begun()
		}
		switch {
		case w.budgets == nil && f.granted, begun == i+1:
			go w.kill()
		case begun <= i:
			timer.Reset(w.p.o.Grace) // tasks before it still run
		}
	}
	w.p.mu.Lock()
	timer = time.AfterFunc(w.p.o.Grace, check)
	w.p.mu.Unlock()
	w.child.CancelOne(f.id, i) // may block, if the worker is stopped and its pipe is full
}
