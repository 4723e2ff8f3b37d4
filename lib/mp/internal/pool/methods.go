package pool

import (
	"cmp"
	"fmt"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Close implements mp.Pool.Close.
func (p *Pool) Close() error {
	if w := currentWorker(); w != nil && w.p == p {
		return errCloseInTask
	}
	p.shutdown()
	return cmp.Or(p.to.Failure(), p.closeRemote())
}

// Kill implements mp.Pool.Kill.
func (p *Pool) Kill() {
	p.breakDown(shm.ErrClosed)
	if w := currentWorker(); w == nil || w.p != p {
		p.shutdown()
		_ = p.closeRemote()
	}
}

// Drop closes a pool that is no longer reachable. It does not wait.
func (p *Pool) Drop() {
	go func() {
		p.shutdown()
		_ = p.closeRemote()
	}()
}

// Workers returns how many workers the pool has.
func (p *Pool) Workers() int {
	if p.o.Remote != nil {
		return p.o.Remote.Workers()
	}
	return p.o.Workers
}

// String implements mp.Pool.String.
func (p *Pool) String() string {
	kind, n := "goroutine", p.Workers()
	switch {
	case p.o.Remote != nil && n == 1:
		kind = "cluster worker"
	case p.o.Remote != nil:
		kind = "cluster workers"
	case p.processes && n == 1:
		kind = "process"
	case p.processes:
		kind = "processes"
	case n > 1:
		kind = "goroutines"
	}
	return fmt.Sprintf("a pool of %d %s, %d tasks done", n, kind, p.done.Load())
}

// counts implements mp.Stats.
type counts struct {
	Done     int // tasks that have ended
	Retried  int // tasks that began again because their worker died
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

// Helpers returns how many helpers run: see StartHelper.
func (p *Pool) Helpers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.workers) - p.o.Workers
}
