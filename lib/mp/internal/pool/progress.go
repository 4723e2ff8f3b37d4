package pool

import (
	"context"
	"sync"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A count has the arguments of a report.
type count struct{ done, total int }

// A progress calls a report function in a separate goroutine. The methods of a nil
// progress do nothing.
type progress struct {
	report func(done, total int)
	failed func()        // called when report panics
	ended  chan struct{} // closed when no more calls are made

	mu      sync.Mutex
	changed *sync.Cond
	now     count
	over    bool  // no more counts come
	dropped bool  // the last count is not reported
	err     error // the panic of report, as an error
}

// newProgress starts to report the counts that set records. It returns nil if report is
// nil.
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
	p.err = failure.Wrap("the Progress function failed", err)
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

// set records how many tasks have ended, and how many there are.
func (p *progress) set(done, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = count{max(done, p.now.done), total}
	p.changed.Signal()
}

// failure returns the error of the report function.
func (p *progress) failure() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// end waits until the last call of report has returned, or ctx ends, and returns the
// error of report. If all is false, no call begins any more; else the final count is
// reported.
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
