package server

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	laneRequests = 4096     // queued in one lane
	laneBytes    = 64 << 20 // of code and data queued in one lane
)

// A lane serves requests one after another, in the order of their arrival.
type lane struct {
	mu     sync.Mutex // guards what follows
	change *sync.Cond
	queue  []*request
	bytes  int
	closed bool
	failed failed

	ended chan struct{} // closed when run returns
}

func newLane() *lane {
	l := &lane{ended: make(chan struct{})}
	l.change = sync.NewCond(&l.mu)
	return l
}

// put queues r. A full lane blocks its socket, which is the back pressure on
// whoever floods it.
func (l *lane) put(ctx context.Context, r *request) {
	stop := context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.change.Broadcast()
	})
	defer stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) > 0 && (len(l.queue) >= laneRequests || l.bytes >= laneBytes) && ctx.Err() == nil && !l.closed {
		l.change.Wait()
	}
	r.lane = l
	r.aborted = l.closed
	l.queue = append(l.queue, r)
	l.bytes += len(r.Content)
	l.change.Broadcast()
}

func (l *lane) take() *request {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.change.Wait()
	}
	if len(l.queue) == 0 {
		return nil
	}
	r := l.queue[0]
	l.queue = l.queue[1:]
	l.bytes -= len(r.Content)
	r.aborted = r.aborted || l.failed.overtook(r)
	l.change.Broadcast()
	return r
}

// cellWaits reports whether a cell will be served after the present request.
func (l *lane) cellWaits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.queue, func(r *request) bool {
		return r.Header.MsgType == "execute_request" && !r.aborted
	})
}

// run serves the lane until it is closed.
func (l *lane) run(serve func(*request)) {
	defer close(l.ended)
	for r := l.take(); r != nil; r = l.take() {
		serve(r)
	}
}

// close ends run after what is queued, of which cells are answered as aborted.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.abort()
	l.change.Broadcast()
}

func (l *lane) abort() {
	for _, q := range l.queue {
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

// takeIn waits until the requests that were sent together with r are queued.
func (r *request) takeIn() {
	time.Sleep(time.Until(r.received.Add(burstPeriod)))
	for deadline := time.Now().Add(burstTimeout); r.router.Pending() && time.Now().Before(deadline); {
		time.Sleep(100 * time.Microsecond)
	}
}

// fail aborts what was asked before the failure of r can be known: what is
// queued, and what is still on its way. It is called before the failure is told.
func (l *lane) fail(r *request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.abort()
	l.failed = failed{cell: r, replied: time.Now()}
}

// failed remembers the last cell that stopped its lane.
type failed struct {
	cell    *request
	replied time.Time
}

// OnItsWay is how long after a failure requests may arrive that were sent
// before it.
const OnItsWay = time.Second

// overtook reports whether r was sent before the failing reply was. The two
// requests' dates are of one clock if they are of one session, and the failed
// cell arrived some time after its date; so the time this computes is late
// rather than early, and a request that was made in knowledge of the failure
// is never aborted. Dates may be truncated, in browsers to milliseconds.
func (f *failed) overtook(r *request) bool {
	if f.cell == nil || r.Header.Session != f.cell.Header.Session || r.received.Sub(f.replied) > OnItsWay {
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
