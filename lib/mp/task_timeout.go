package mp

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// A taskTimeout is how long a task of a pool may take; 0 is no limit.
type taskTimeout time.Duration

// start returns when a task begins, if that matters.
func (d taskTimeout) start() (begin time.Time) {
	if d > 0 {
		begin = time.Now()
	}
	return begin
}

// context is ctx that also ends when the task has taken too long.
func (d taskTimeout) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if d > 0 {
		return context.WithTimeoutCause(ctx, time.Duration(d), d.exceeded())
	}
	return context.WithCancel(ctx)
}

func (d taskTimeout) exceeded() error { return timeoutError{time.Duration(d)} }

// A timeoutError is the error of a task that took longer than limit.
type timeoutError struct{ limit time.Duration }

func (e timeoutError) Error() string {
	return fmt.Sprintf("mp: the task took longer than the pool's TaskTimeout of %v: %v", e.limit, context.DeadlineExceeded)
}

func (e timeoutError) Unwrap() error { return context.DeadlineExceeded }

// Timeout is for os.IsTimeout and those who ask as it does.
func (e timeoutError) Timeout() bool { return true }

// outcome is the error of a task that has returned err. A panic stays one.
func (d taskTimeout) outcome(begin time.Time, err error) error {
	if d <= 0 || time.Since(begin) < time.Duration(d) {
		return err
	}
	switch err.(type) {
	case nil:
		return d.exceeded()
	case *PanicError:
		return err
	}
	switch {
	case isError(err, d.exceeded()): // the context's cause
		return err
	case err == context.DeadlineExceeded || err == context.Canceled:
		return d.exceeded()
	}
	return fmt.Errorf("%w: %w", d.exceeded(), bare{err})
}

// limited is protected for a task that may take only so long.
func (c *callee) limited(ctx context.Context, d taskTimeout, a, r unsafe.Pointer) error {
	if d <= 0 {
		return c.protected(ctx, a, r)
	}
	begin := d.start()
	ctx, cancel := d.context(ctx)
	defer cancel()
	err := d.outcome(begin, c.protected(ctx, a, r))
	if err != nil {
		c.result.clear(r)
	}
	return err
}

// sendTimeout tells the child how long each task that follows may take.
func (w *worker) sendTimeout() {
	if d := w.p.o.taskTimeout; d > 0 {
		w.sent(w.child.conn.send(frame{kind: frameTimeout, body: binary.LittleEndian.AppendUint64(nil, uint64(d))}))
	}
}

func (e *entry) setTimeout(body []byte) error {
	if len(body) != 8 {
		return errMalformed
	}
	e.taskTimeout = taskTimeout(binary.LittleEndian.Uint64(body))
	return nil
}

// A runningTask tells the task that a worker process runs from the others.
type runningTask struct {
	flight *flight
	place  int
}

// runningLocked returns the task that w runs. It may have ended without a report.
func (w *worker) runningLocked() (t runningTask) {
	if len(w.flights) == 0 || !w.flights[0].granted {
		return t
	}
	f := w.flights[0]
	if w.book == nil {
		if w.ready && f.delivered < f.n {
			t = runningTask{f, f.delivered}
		}
		return t
	}
	if n, _ := f.credit.begun(); n > f.delivered {
		t = runningTask{f, n - 1}
	}
	return t
}

// watchTasks ends the worker process when a task has not returned for the pool's
// grace after its time. The child ends the task's context; this helps where the
// function does not mind that, or the process is stopped.
func (w *worker) watchTasks() {
	limit := time.Duration(w.p.o.taskTimeout) + w.p.o.grace
	if limit < 0 {
		limit = math.MaxInt64
	}
	ticker := time.NewTicker(max(limit/8, time.Millisecond))
	defer ticker.Stop()
	var last runningTask
	var since time.Time
	for {
		select {
		case <-w.child.gone:
			return
		case <-ticker.C:
		}
		w.p.mu.Lock()
		now := w.runningLocked()
		late := now.flight != nil && now == last && time.Since(since) >= limit
		overdue := late && w.holdLocked(now)
		w.p.mu.Unlock()
		if late {
			w.p.wakeAll() // for the tasks that were taken back
		}
		if overdue {
			w.child.killFor(w.p.o.taskTimeout.exceeded())
			return
		}
		if now != last {
			last, since = now, time.Now()
		}
	}
}

// holdLocked takes back what w has not begun, and reports whether t is still the
// last that it has: the end of w concerns no other task then.
func (w *worker) holdLocked(t runningTask) bool {
	if w.p.broken != nil {
		return false // it is killed for that
	}
	for _, f := range w.flights {
		if w.book == nil || !f.granted || f.parcel.state().stopped != nil {
			continue
		}
		if keep := f.credit.recall(0); keep < f.n {
			w.p.back = append(w.p.back, f.parcel.part(keep, f.n))
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
