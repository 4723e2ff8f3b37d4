package child

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/profiling"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// contextOf returns a function that makes the context of task i, which runs next.
func (e *Entry) contextOf(b *batch) func(int) (context.Context, context.CancelFunc) {
	return func(i int) (context.Context, context.CancelFunc) {
		parent := context.Background()
		if b.keys != nil {
			parent = call.WithKey(parent, b.keys[i])
		}
		ctx, cancel := b.timeout.WithTimeout(parent)
		e.mu.Lock()
		defer e.mu.Unlock()
		b.running, b.cancel = i, cancel
		if b.canceled[i] {
			cancel()
		}
		return ctx, cancel
	}
}

// dropped returns a function that reports whether task i was canceled before it began.
// In a process that runs only one call of a user's function, it returns false: that call
// gets a canceled context.
func (e *Entry) dropped(b *batch) func(int) bool {
	return func(i int) bool {
		if b.cancels.Load() == 0 || b.last {
			return false
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		return b.canceled[i]
	}
}

// work runs batches in the order in which they come.
func (e *Entry) work() {
	for b := range e.tasks {
		if !b.last {
			runtime.UnlockOSThread() // a pool's worker: to stay on the main thread is slow
		}
		e.run(b)
	}
}

func (e *Entry) run(b *batch) {
	e.mu.Lock()
	s := e.slots[b.slot]
	e.mu.Unlock()
	if trace.IsEnabled() {
		tracing.Receive(tracing.KindBatch, tracing.BatchKey(os.Getpid(), b.id), 0)
	}
	v := &batchRun{
		id: b.id, fn: s.fn, target: s.target, n: b.n, args: codec.Reader{B: b.body[protocol.TaskHead:]},
		budget: e.budgets.Budget(b.id), context: e.contextOf(b), dropped: e.dropped(b), row: e.row, since: time.Now(), timeout: b.timeout,
	}
	if e.budgets == nil {
		v.budget.Grant(b.n)
	}
	v.flush = func() {
		if room := v.report(false); room != nil {
			e.answer(b.id, room)
		}
	}
	stop := e.flushing(b, v)
	returned := false
	defer func() {
		stop()
		if !returned {
			v.failed(failure.ErrGoexit)
		}
		e.finish(b, v)
		if !returned { // a task called Goexit: work goes on in a new goroutine, and the main one must not end
			go e.work()
			select {}
		}
	}()
	switch {
	case s.err != nil || s.fn == nil:
		for _, ok := v.claim(); ok; _, ok = v.claim() {
			v.failed(cmp.Or(s.err, failure.ErrMalformed))
		}
	default:
		call.RunnerAt(s.runner)(nil, v)
	}
	returned = true
}

// flushing reports finished tasks of v from time to time, while a task takes long. stop ends
// the reports, and waits for a report that is being sent.
func (e *Entry) flushing(b *batch, v *batchRun) (stop func()) {
	if b.n == 1 {
		return func() {}
	}
	var mu sync.Mutex
	stopped := false
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(protocol.FlushDelay, func() {
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			return
		}
		v.flush()
		timer.Reset(protocol.FlushDelay)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}

// finish sends the last report of a batch. It exits the process after the last batch.
func (e *Entry) finish(b *batch, v *batchRun) {
	e.mu.Lock()
	delete(e.batches, b.id)
	e.mu.Unlock()
	failed := len(v.errs) > 0
	if b.last {
		_ = profiling.Stop() // before the answer: the parent may then end this process at any time
	}
	e.answer(b.id, v.report(true))
	e.row = protocol.Kept(v.row)
	e.spare.Put(b.body)
	if b.last {
		if !failed {
			shm.LeaveAll()
		}
		_ = tracing.Stop()
		os.Exit(codec.Bit(failed))
	}
}

// answer sends a report. If the parent is gone it ends the process.
func (e *Entry) answer(id uint64, room []byte) {
	if trace.IsEnabled() {
		tracing.Send(tracing.KindResult, tracing.BatchKey(os.Getpid(), id), 0)
	}
	if err := e.conn.SendRoom(protocol.FrameResult, id, room); err != nil {
		endGroup(protocol.ExitOrphaned)
	}
}
