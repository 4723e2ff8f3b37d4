package pool

import (
	"slices"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// stealDelay is how long a batch runs before an idle worker takes tasks off it
// that by all measures should have been done soon.
const stealDelay = time.Millisecond

// An inflightBatch is a batch that a worker has. Guarded by pool.mu but for chunk,
// budget and id, which do not change.
type inflightBatch struct {
	id        uint64
	chunk     *chunk
	budget    protocol.Budget
	granted   bool // the budget is set, and may be recalled
	n         int  // tasks of the chunk that stay with this inflightBatch
	delivered int  // tasks that are settled
	since     time.Time
}

// acquire waits for tasks for w and makes them an inflightBatch of w. It returns nil
// when w has to end.
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
			if len(w.inflight) == 0 {
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
			n = 1 // else it is not known which task runs
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

// deepestLocked is the place of the job whose turn it is among the deepest, or
// -1 if none is at least so deep.
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

// stealLocked takes tasks that have not begun off another worker's batch, the
// one with the most of them in time. If there are some that are not worth it
// yet, it has the idle workers look again.
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

// shareLocked hands back what of c is beyond the number of tasks that w may
// still do.
func (p *Pool) shareLocked(w *worker, c *chunk) *chunk {
	n := p.o.TasksPerChild - w.tasks
	if p.o.TasksPerChild == 0 || c.size() <= n {
		return c
	}
	p.back = append(p.back, c.part(n, c.size()))
	return c.part(0, n)
}

// addInflightLocked makes c an inflightBatch of w.
func (w *worker) addInflightLocked(c *chunk) *inflightBatch {
	w.next++
	f := &inflightBatch{id: w.next, chunk: c, budget: w.budgets.Budget(w.next), n: c.size(), since: time.Now()}
	w.inflight = append(w.inflight, f)
	w.tasks += f.n
	c.state().encoding++
	return f
}

// handBackLocked returns tasks that did not begin.
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
