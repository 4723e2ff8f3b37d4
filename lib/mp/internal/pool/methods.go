package pool

import (
	"fmt"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Close waits until the tasks that the pool has are done, and ends its workers.
func (p *Pool) Close() error {
	if w := currentWorker(); w != nil && w.p == p {
		return errCloseInTask
	}
	p.shutdown()
	return p.to.Failure()
}

// Kill ends the workers at once.
func (p *Pool) Kill() {
	p.breakDown(shm.ErrClosed)
	if w := currentWorker(); w == nil || w.p != p {
		p.shutdown()
	}
}

// Drop closes a pool to which nothing refers any more.
func (p *Pool) Drop() { go p.shutdown() }

// Workers returns how many workers the pool has.
func (p *Pool) Workers() int { return p.o.Workers }

// String tells what the pool consists of and has done.
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

// counts are since the pool was made.
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

// Helpers returns how many goroutines have a slot that is lent.
func (p *Pool) Helpers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.workers) - p.o.Workers
}
