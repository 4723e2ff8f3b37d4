package pool

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// sendTimeout sends the TaskTimeout to the child, if there is one.
func (w *worker) sendTimeout() {
	if d := w.p.o.TaskTimeout; d > 0 {
		w.sent(w.child.Conn.Send(protocol.Frame{Kind: protocol.FrameTimeout, Body: binary.LittleEndian.AppendUint64(nil, uint64(d))}))
	}
}

// A runningTask identifies the task that a worker process runs.
type runningTask struct {
	batch *inflightBatch
	place int
}

// runningLocked returns the task that w runs. It may have ended and not been reported.
func (w *worker) runningLocked() (t runningTask) {
	if len(w.inflight) == 0 || !w.inflight[0].granted {
		return t
	}
	f := w.inflight[0]
	if w.budgets == nil {
		if w.ready && f.delivered < f.n {
			t = runningTask{f, f.delivered}
		}
		return t
	}
	if n, _ := f.budget.Begun(); n > f.delivered {
		t = runningTask{f, n - 1}
	}
	return t
}

// watchTasks kills the worker process if a task has not returned when the pool's grace
// has passed after its TaskTimeout. The child itself ends the task's context; watchTasks
// helps if the function ignores its context, or if the process is stopped.
func (w *worker) watchTasks() {
	limit := time.Duration(w.p.o.TaskTimeout) + w.p.o.Grace
	if limit < 0 {
		limit = math.MaxInt64
	}
	ticker := time.NewTicker(max(limit/8, time.Millisecond))
	defer ticker.Stop()
	var last runningTask
	var since time.Time
	for {
		select {
		case <-w.child.Gone:
			return
		case <-ticker.C:
		}
		w.p.mu.Lock()
		now := w.runningLocked()
		late := now.batch != nil && now == last && time.Since(since) >= limit
		overdue := late && w.holdLocked(now)
		w.p.mu.Unlock()
		if late {
			w.p.wakeAll() // to run the tasks that were taken back
		}
		if overdue {
			w.child.KillFor(w.p.o.TaskTimeout.Exceeded())
			return
		}
		if now != last {
			last, since = now, time.Now()
		}
	}
}

// holdLocked takes back the tasks that w has not begun. It reports whether t is still
// running and is the last task of w, so that killing w affects no other task.
func (w *worker) holdLocked(t runningTask) bool {
	if w.p.broken != nil {
		return false // the worker is killed anyway
	}
	for _, f := range w.inflight {
		if w.budgets == nil || !f.granted || f.chunk.state().stopped != nil {
			continue
		}
		if keep := f.budget.Recall(0); keep < f.n {
			w.p.back = append(w.p.back, f.chunk.part(keep, f.n))
			w.tasks -= f.n - keep
			f.n = keep
		}
	}
	if w.runningLocked() != t {
		return false
	}
	w.overdue = t
	return true
}
