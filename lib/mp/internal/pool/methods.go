package pool

import (
	"fmt"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Close implements mp.Pool.Close.
func (p *Pool) Close() error {
	if w := currentWorker(); w != nil && w.p == p {
		return errCloseInTask
	}
	p.shutdown()
	return p.to.Failure()
}

// Kill implements mp.Pool.Kill.
func (p *Pool) Kill() {
	p.breakDown(shm.ErrClosed)
	if w := currentWorker(); w == nil || w.p != p {
		p.shutdown()
	}
}

// Drop closes a pool that is no longer reachable. It does not wait.
func (p *Pool) Drop() { go p.shutdown() }

// Workers returns how many workers the pool has.
func (p *Pool) Workers() int { return p.o.Workers }

// String implements mp.Pool.String.
func (p *Pool) String() string {
	kind := "goroutine"
	switch {
	case p.processes && p.o.Workers == 1:
		kind = "process"
	case p.processes:
		kind = "processes"
	case p.o.Workers > 1:
		kind = "goroutines"
	}
	return fmt.Sprintf("a pool of %d %s, %d tasks done", p.o.Workers, kind, p.done.Load())
}

// counts implements mp.Stats.
type counts struct {
	Done     int // tasks that ended
	Retried  int // tasks that began again
	Restarts int // workers that were started in place of another
}

// Stats returns the counts.
func (p *Pool) Stats() counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.stats
	c.Done = int(p.done.Load())
	return c
}

// Ready returns how many worker processes have started.
func (p *Pool) Ready() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.workers {
		if w.ready {
			n++
		}
	}
	return n
}

// Helpers returns how many helpers there are.
func (p *Pool) Helpers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.workers) - p.o.Workers
}
