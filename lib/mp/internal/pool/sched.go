package pool

import (
	"slices"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// stealDelay is how long a batch must have run before an idle worker takes tasks from
// it that are expected to end soon.
const stealDelay = time.Millisecond

// An inflightBatch is a batch that a worker has. Guarded by Pool.mu, except for chunk,
// budget and id, which do not change.
type inflightBatch struct {
	id        uint64
	chunk     *chunk
	budget    protocol.Budget
	granted   bool // the budget is set, so that tasks can be recalled
	n         int  // tasks of the chunk that stay in this batch
	delivered int  // tasks that are settled
	since     time.Time
}

// acquire waits for tasks for w and makes them a batch of w. It returns nil when w must
// end.
func (p *Pool) acquire(w *worker) *inflightBatch {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case w.gone || p.broken != nil:
			p.wakeNextLocked()
			return nil
		case w.spent(p.o.TasksPerChild):
			if len(w.inflight) == 0 {
				p.wakeNextLocked()
				return nil
			}
		case len(w.inflight) < protocol.Window:
			if c := p.nextLocked(w); c != nil {
				f := w.addInflightLocked(c)
				p.wakeNextLocked()
				return f
			}
			if len(w.inflight) == 0 && p.o.Remote == nil {
				if c := p.stealLocked(w); c != nil {
					return w.addInflightLocked(c)
				}
			}
		}
		p.sleepLocked(w)
	}
}

// nextLocked returns the next tasks for w, or nil.
func (p *Pool) nextLocked(w *worker) *chunk {
	for k := len(p.back) - 1; k >= 0; k-- {
		if c := p.back[k]; c.state().depth >= w.least {
			p.back = slices.Delete(p.back, k, k+1)
			return p.shareLocked(w, c)
		}
	}
	for k := p.deepestLocked(w.least); k >= 0; k = p.deepestLocked(w.least) {
		j := p.jobs[k]
		if k == 0 {
			p.jobs = p.jobs[1:]
		} else {
			p.jobs = slices.Delete(p.jobs, k, k+1)
		}
		n := max(1, j.state().size)
		if left := j.left(); left >= 0 {
			n = min(n, max(1, left/(2*p.o.Workers)))
		}
		if limit := p.o.TasksPerChild; limit > 0 {
			n = min(n, limit-w.tasks)
		}
		if p.o.TaskTimeout > 0 && w.child != nil && w.budgets == nil {
			n = 1 // else the pool does not know which task runs
		}
		if c := j.take(n); c != nil {
			if j.isListed() {
				p.jobs = append(p.jobs, j)
			}
			return c
		}
	}
	return nil
}

// deepestLocked returns the index of the next job among those that are nested deepest,
// or -1 if none has at least the depth least.
func (p *Pool) deepestLocked(least int) int {
	if least == 0 && !p.nested {
		return min(len(p.jobs), 1) - 1
	}
	best := -1
	for k, j := range p.jobs {
		if d := j.state().depth; d >= least && (best < 0 || d > p.jobs[best].state().depth) {
			best = k
		}
	}
	return best
}

// stealLocked takes tasks that have not begun from another worker's batch. It prefers a
// batch that has run for longer than stealDelay, and else the one whose remaining tasks
// take longest. If it is too early to divide any batch, stealLocked makes the idle workers
// look again later.
func (p *Pool) stealLocked(w *worker) *chunk {
	var best *inflightBatch
	var owner *worker
	var most time.Duration
	for v := range p.workers {
		for place, f := range v.inflight {
			if v == w || !f.granted || f.chunk.state().depth < w.least {
				continue
			}
			_, left := f.budget.Begun()
			worth := time.Duration(left) * max(f.chunk.state().perTask, 1)
			if left > 0 && time.Since(f.since) > stealDelay {
				worth += time.Hour * time.Duration(1+place)
			}
			if worth > most {
				best, owner, most = f, v, worth
			}
		}
	}
	if best == nil {
		return nil
	}
	if most < stealDelay/4 {
		p.lookLaterLocked()
		return nil
	}
	_, left := best.budget.Begun()
	keep := best.budget.Recall(left / 2)
	if keep >= best.n {
		return nil
	}
	c := best.chunk.part(keep, best.n)
	owner.tasks -= best.n - keep
	best.n = keep
	return p.shareLocked(w, c)
}

// shareLocked returns the part of c that w may still do within TasksPerChild, and hands
// back the rest.
func (p *Pool) shareLocked(w *worker, c *chunk) *chunk {
	n := p.o.TasksPerChild - w.tasks
	if p.o.TasksPerChild == 0 || c.size() <= n {
		return c
	}
	p.back = append(p.back, c.part(n, c.size()))
	return c.part(0, n)
}

// addInflightLocked makes c a batch of w.
func (w *worker) addInflightLocked(c *chunk) *inflightBatch {
	w.next++
	f := &inflightBatch{id: w.next, chunk: c, budget: w.budgets.Budget(w.next), n: c.size(), since: time.Now()}
	w.inflight = append(w.inflight, f)
	w.tasks += f.n
	c.state().encoding++
	return f
}

// handBackLocked gives tasks that did not begin back to the pool. lost is true if they
// must not run any more; then the caller fails them.
func (p *Pool) handBackLocked(c *chunk) (lost bool) {
	if c.size() == 0 {
		return false
	}
	if c.state().stopped != nil || p.broken != nil {
		return true
	}
	p.back = append(p.back, c)
	return false
}
