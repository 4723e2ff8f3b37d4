package pool

import (
	"syscall"
	"time"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// recoverTasks hands back the tasks that a dead worker had not begun, and settles or
// repeats those that it had.
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

// The number of workers that may die in a row until the pool gives up: while they start,
// initializer included, and none gets ready; and idle ones without a finished
// task between them. One that another process ended by a signal before it began its
// initializer counts as idle: where that happens more often than a process takes to
// start, as with a busy machine and a supervisor with a short timeout, no worker is at fault.
const (
	maxStartDeaths = 5
	maxIdleDeaths  = 100
)

// Deaths counts workers that died since a task was finished or a worker got ready.
type deaths struct{ starting, idle int }

// count notes the death of w. The result is not nil if there were too many.
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
		return failure.Wrap("the pool's idle workers die", exit)
	case d.starting < maxStartDeaths:
		return nil
	case w.p.o.Initializer != nil:
		return failure.Wrap("the pool's workers die in its initializer", exit)
	}
	return failure.Wrap("the pool's workers die as they start", exit)
}

// isEndedByOthers reports whether a child got a signal that a process does not get by
// what it does, from other processes than this one.
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

// beginsInitializer reports whether the pool has an initializer and w may have begun it.
func (w *worker) beginsInitializer() bool {
	if w.p.o.Initializer == nil {
		return false
	}
	n, _ := w.budgets.Budget(0).Begun()
	return n > 0 || w.budgets == nil
}

// replace starts a worker in place of w, unless the pool is at its end.
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

// recallLocked takes back what w has not begun of a job that is stopped, and
// cancels what it has.
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

// cancelTask cancels the one task of a chunk that find knows, if a worker
// process has it.
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

// cancelTask cancels the context of a task, which does not begin if it has
// not yet, and kills the worker if it still runs after the pool's grace.
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
			timer.Reset(w.p.o.Grace) // others are before it
		}
	}
	w.p.mu.Lock()
	timer = time.AfterFunc(w.p.o.Grace, check)
	w.p.mu.Unlock()
	w.child.CancelOne(f.id, i) // which waits if the worker is stopped and its pipe full
}
