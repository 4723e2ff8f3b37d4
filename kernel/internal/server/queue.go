package server

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	maxQueuedRequests = 4096     // queued in one lane
	maxQueuedBytes    = 64 << 20 // of code and data queued in one lane
)

// A requestQueue serves requests one after another, in the order of their arrival.
type requestQueue struct {
	mu          sync.Mutex // guards what follows
	change      *sync.Cond
	requests    []*request
	bytes       int
	closed      bool
	lastFailure cellFailure

	ended chan struct{} // closed when run returns
}

func newRequestQueue() *requestQueue {
	l := &requestQueue{ended: make(chan struct{})}
	l.change = sync.NewCond(&l.mu)
	return l
}

// put queues r. A full lane blocks its socket, which is the back pressure on
// whoever floods it.
func (l *requestQueue) put(ctx context.Context, r *request) {
	stop := context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.change.Broadcast()
	})
	defer stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.requests) > 0 && (len(l.requests) >= maxQueuedRequests || l.bytes >= maxQueuedBytes) && ctx.Err() == nil && !l.closed {
		l.change.Wait()
	}
	r.queue = l
	r.aborted = l.closed
	l.requests = append(l.requests, r)
	l.bytes += len(r.Content)
	l.change.Broadcast()
}

func (l *requestQueue) take() *request {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.requests) == 0 && !l.closed {
		l.change.Wait()
	}
	if len(l.requests) == 0 {
		return nil
	}
	r := l.requests[0]
	l.requests = l.requests[1:]
	l.bytes -= len(r.Content)
	r.aborted = r.aborted || l.lastFailure.isLaterThan(r)
	l.change.Broadcast()
	return r
}

// hasQueuedCell reports whether a cell will be served after the present request.
func (l *requestQueue) hasQueuedCell() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.requests, func(r *request) bool {
		return r.Header.MsgType == "execute_request" && !r.aborted
	})
}

// run serves the lane until it is closed.
func (l *requestQueue) run(serve func(*request)) {
	defer close(l.ended)
	for r := l.take(); r != nil; r = l.take() {
		serve(r)
	}
}

// close ends run after what is queued, of which cells are answered as aborted.
func (l *requestQueue) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.abort()
	l.change.Broadcast()
}

func (l *requestQueue) abort() {
	for _, q := range l.requests {
		q.aborted = true
	}
}

// A front end that runs several cells sends their requests one after another,
// and a cell can fail before the next request is here. So a failure is told
// burstPeriod after its request arrived at the earliest, and when all that has
// arrived is queued; for that it waits no longer than burstTimeout.
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

// abortAfter aborts what was asked before the failure of r can be known: what is
// queued, and what is still on its way. It is called before the failure is told.
func (l *requestQueue) abortAfter(r *request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.abort()
	l.lastFailure = cellFailure{cell: r, replied: time.Now()}
}

// cellFailure remembers the last cell that stopped its lane.
type cellFailure struct {
	cell    *request
	replied time.Time
}

// InFlightPeriod is how long after a failure requests may arrive that were sent
// before it.
const InFlightPeriod = time.Second

// isLaterThan reports whether r was sent before the failing reply was. The two
// requests' dates are of one clock if they are of one session, and the failed
// cell arrived some time after its date; so the time this computes is late
// rather than early, and a request that was made in knowledge of the failure
// is never aborted. Dates may be truncated, in browsers to milliseconds.
func (f *cellFailure) isLaterThan(r *request) bool {
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
