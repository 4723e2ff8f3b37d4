package pool

import (
	"context"
	"sync"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A count is what a report is told.
type count struct{ done, total int }

// A progress calls a report in its goroutine. A nil one does nothing.
type progress struct {
	report func(done, total int)
	failed func()        // called when a report panics
	ended  chan struct{} // closed when no more calls are made

	mu      sync.Mutex
	changed *sync.Cond
	now     count
	over    bool  // now is the last
	dropped bool  // and is not told
	err     error // of the report
}

// newProgress begins to report what it is told by set.
func newProgress(report func(done, total int), total int, failed func()) *progress {
	if report == nil {
		return nil
	}
	p := &progress{report: report, failed: failed, ended: make(chan struct{}), now: count{0, total}}
	p.changed = sync.NewCond(&p.mu)
	go p.run(p.now)
	return p
}

func (p *progress) run(told count) {
	err := failure.Isolate(func() error { p.loop(told); return nil })
	p.mu.Lock()
	p.err = failure.Wrap("the Progress function", err)
	p.mu.Unlock()
	close(p.ended)
	if err != nil {
		p.failed()
	}
}

func (p *progress) loop(told count) {
	for {
		p.mu.Lock()
		for p.now == told && !p.over {
			p.changed.Wait()
		}
		now, dropped := p.now, p.dropped
		p.mu.Unlock()
		if dropped || now == told {
			return
		}
		p.report(now.done, now.total)
		told = now
	}
}

// set notes how many tasks have ended, and of how many.
func (p *progress) set(done, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = count{max(done, p.now.done), total}
	p.changed.Signal()
}

// failure returns the error of the report.
func (p *progress) failure() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// end waits for the last call, which is the one that runs already unless all is
// done, and returns the error of the report.
func (p *progress) end(ctx context.Context, all bool) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	p.over, p.dropped = true, !all
	p.mu.Unlock()
	p.changed.Signal()
	defer StartHelper(taskDepth())()
	select {
	case <-p.ended:
	case <-ctx.Done():
	}
	return p.failure()
}
