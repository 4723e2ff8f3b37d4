package server

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	maxQueuedRequests = 4096     // in one queue
	maxQueuedBytes    = 64 << 20 // of code and data in one queue
)

// A requestQueue serves requests one after another, in the order of their arrival.
type requestQueue struct {
	mu          sync.Mutex // guards the fields below
	change      *sync.Cond
	requests    []*request
	bytes       int
	closed      bool
	lastFailure cellFailure

	ended chan struct{} // closed when run returns
}

func newRequestQueue() *requestQueue {
	q := &requestQueue{ended: make(chan struct{})}
	q.change = sync.NewCond(&q.mu)
	return q
}

// put appends r. A full queue blocks the socket that r came from, which slows down its front ends.
func (q *requestQueue) put(ctx context.Context, r *request) {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.change.Broadcast()
	})
	defer stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.requests) > 0 && (len(q.requests) >= maxQueuedRequests || q.bytes >= maxQueuedBytes) && ctx.Err() == nil && !q.closed {
		q.change.Wait()
	}
	r.queue = q
	r.aborted = q.closed
	q.requests = append(q.requests, r)
	q.bytes += len(r.Content)
	q.change.Broadcast()
}

func (q *requestQueue) take() *request {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.requests) == 0 && !q.closed {
		q.change.Wait()
	}
	if len(q.requests) == 0 {
		return nil
	}
	r := q.requests[0]
	q.requests = q.requests[1:]
	q.bytes -= len(r.Content)
	r.aborted = r.aborted || q.lastFailure.follows(r)
	q.change.Broadcast()
	return r
}

// hasQueuedCell reports whether a cell will be served after the present request.
func (q *requestQueue) hasQueuedCell() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.ContainsFunc(q.requests, func(r *request) bool {
		return r.Header.MsgType == "execute_request" && !r.aborted
	})
}

// run serves the queue until it is closed and empty.
func (q *requestQueue) run(serve func(*request)) {
	defer close(q.ended)
	for r := q.take(); r != nil; r = q.take() {
		serve(r)
	}
}

// close makes run return after the queued requests. Queued cells do not run; their replies have the status aborted.
func (q *requestQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.abort()
	q.change.Broadcast()
}

func (q *requestQueue) abort() {
	for _, r := range q.requests {
		r.aborted = true
	}
}

// A front end that runs several cells sends their requests one after another, and a cell can fail before the next
// request arrives. So a failure is published at the earliest burstPeriod after the cell's request arrived. Then the
// server waits, for burstTimeout at most, until all requests that have arrived are queued.
const (
	burstPeriod  = 2 * time.Millisecond
	burstTimeout = 20 * time.Millisecond
)

// awaitBurst waits until the requests that were sent together with r are queued.
func (r *request) awaitBurst() {
	time.Sleep(time.Until(r.received.Add(burstPeriod)))
	for deadline := time.Now().Add(burstTimeout); r.router.Pending() && time.Now().Before(deadline); {
		time.Sleep(100 * time.Microsecond)
	}
}

// abortAfter aborts the cells that were requested before the front end can know
// that r has failed: cells in the queue, and cells whose requests arrive later (see follows). It is called before the
// failure is published.
func (q *requestQueue) abortAfter(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.abort()
	q.lastFailure = cellFailure{cell: r, replied: time.Now()}
}

// A cellFailure is the last failure that aborted the cells of its queue.
type cellFailure struct {
	cell    *request
	replied time.Time
}

// InFlightPeriod is the time after a failed cell in which requests that were sent before the failure may still
// arrive.
const InFlightPeriod = time.Second

// follows reports whether the failure was published after r was sent. It computes the time of sending from the dates of
// r and of the failed cell, which are from the same clock if both requests are of one session. The failed cell arrived
// some time after its date, so the computed time is late rather than early. So a request that was sent after the
// failure was received is never aborted. Dates may be truncated, in browsers to milliseconds.
func (f *cellFailure) follows(r *request) bool {
	if f.cell == nil || r.Header.Session != f.cell.Header.Session || r.received.Sub(f.replied) > InFlightPeriod {
		return false
	}
	first, ok1 := f.cell.Header.Time()
	second, ok2 := r.Header.Time()
	if !ok1 || !ok2 {
		return false
	}
	resolution := time.Millisecond
	if first.Truncate(resolution) != first && second.Truncate(resolution) != second {
		resolution = time.Microsecond
	}
	sent := f.cell.received.Add(second.Sub(first))
	return sent.Before(f.replied.Add(-resolution))
}
