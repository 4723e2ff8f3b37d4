package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"

	"github.com/perijove/perijove/lib/cluster/internal/objectcache"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// maxInflightBytes limits the arguments of a pool that are under way.
const maxInflightBytes = 512 << 20

// A runner implements mpremote.Runner: it sends the tasks of one pool in batches, and
// collects the results.
type runner struct {
	c       *Cluster
	id      string
	ctx     context.Context
	cancel  context.CancelCauseFunc
	room    *semaphore.Weighted // bytes under way
	objects objectcache.Cache   // arguments that are stored as objects
	consume jetstream.ConsumeContext
	close   func() error

	mu         sync.Mutex
	queues     []*queue
	inflight   map[uint64]*batch
	next       uint64
	duplicates int       // outcomes of tasks that had one already
	served     time.Time // when a worker was last known, or the first task waited
}

func (c *Cluster) newRunner() (*runner, error) {
	r := &runner{c: c, id: newID(), room: semaphore.NewWeighted(maxInflightBytes), inflight: make(map[uint64]*batch)}
	r.objects.Limit, r.objects.Dropped = maxCacheBytes, c.deleteObject
	r.ctx, r.cancel = context.WithCancelCause(c.ctx)
	r.close = sync.OnceValue(r.shutdown)
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.pools[r.id] = r
	}
	c.mu.Unlock()
	if closed {
		return nil, mp.ErrClosed
	}
	r.announce(false)
	if err := r.collect(); err != nil {
		_ = r.Close()
		return nil, err
	}
	c.background(r.watch)
	return r, nil
}

// Workers implements mpremote.Runner.
func (r *runner) Workers() int { return r.c.members.slots(&r.c.build) }

// Run implements mpremote.Runner.
func (r *runner) Run(ctx context.Context, f *mpremote.Func, arg []byte) (mpremote.Outcome, error) {
	if n := len(arg); n > r.c.o.maxValue {
		return mpremote.Outcome{}, fmt.Errorf("cluster: the argument of %s takes %d bytes, more than the limit of %d: "+
			"divide it, or raise the limit with cluster.MaxValue: %w", f.Name, n, r.c.o.maxValue, mp.ErrTooLarge)
	}
	size := int64(min(len(arg), maxInflightBytes))
	if err := r.acquire(ctx, size); err != nil {
		return mpremote.Outcome{}, err
	}
	defer r.room.Release(size)
	t := &task{arg: arg, done: make(chan struct{})}
	r.add(f, t)
	select {
	case <-t.done:
		return t.outcome, t.err
	case <-ctx.Done():
		r.abandon(t)
		return mpremote.Outcome{}, context.Cause(ctx)
	case <-r.ctx.Done():
		return mpremote.Outcome{}, context.Cause(r.ctx)
	}
}

// acquire waits until an argument of size bytes fits below maxInflightBytes.
func (r *runner) acquire(ctx context.Context, size int64) error {
	if r.room.TryAcquire(size) {
		return nil
	}
	if err := r.room.Acquire(ctx, size); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// add appends t to the queue of f and sends what may be sent.
func (r *runner) add(f *mpremote.Func, t *task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.queues, func(q *queue) bool { return q.f.ID == f.ID && q.f.Arg == f.Arg && q.f.Result == f.Result })
	if i < 0 {
		i = len(r.queues)
		r.queues = append(r.queues, &queue{f: f})
	}
	if r.served.IsZero() {
		r.served = time.Now()
	}
	q := r.queues[i]
	q.pending = append(q.pending, t)
	r.dispatchLocked()
}

// abandon forgets a task that is no longer awaited, and tells the workers.
func (r *runner) abandon(t *task) {
	r.mu.Lock()
	b := t.batch
	if b == nil {
		for _, q := range r.queues {
			q.pending = slices.DeleteFunc(q.pending, func(o *task) bool { return o == t })
		}
		r.mu.Unlock()
		return
	}
	if b.tasks[t.index] != t {
		r.mu.Unlock()
		return
	}
	r.settleLocked(b, t.index, mpremote.Outcome{}, context.Canceled)
	b.drop = b.left == 0
	stored, all := b.seq > 0, b.drop
	r.mu.Unlock()
	cancelled := wire.Cancel{Pool: r.id, Batch: b.id, Indexes: []int{t.index}}
	_ = r.c.conn.Publish(r.c.cancelSubject(), cancelled.Encode()) // if the message is lost, the task runs to its end
	if stored && all {
		r.c.background(func() { r.remove(b) })
	}
}

// watch announces the pool, and fails tasks for which no worker comes.
func (r *runner) watch() {
	ticker := time.NewTicker(min(announceInterval, r.c.o.workerTimeout))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.announce(false)
			r.checkWorkers()
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *runner) announce(closed bool) {
	p := wire.Pool{ID: r.id, Closed: closed}
	_ = r.c.conn.Publish(r.c.poolSubject(), p.Encode()) // watch repeats it
}

// checkWorkers sends waiting tasks if there are workers, and fails all tasks if there have
// been none for the WorkerTimeout.
func (r *runner) checkWorkers() {
	slots := r.Workers()
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := len(r.inflight) > 0 || slices.ContainsFunc(r.queues, func(q *queue) bool { return len(q.pending) > 0 })
	if slots > 0 || !waiting {
		r.served = time.Now()
		r.dispatchLocked()
		return
	}
	if time.Since(r.served) < r.c.o.workerTimeout {
		return
	}
	r.served = time.Now()
	for _, q := range r.queues {
		for _, t := range q.pending {
			t.err = r.c.noWorkers(q.f.Name)
			close(t.done)
		}
		q.pending = nil
	}
	for _, b := range r.inflight {
		r.failLocked(b, r.c.noWorkers(b.q.f.Name))
		b.drop = true
		if b.seq > 0 {
			r.c.background(func() { r.remove(b) })
		}
	}
}

// Close implements mpremote.Runner.
func (r *runner) Close() error { return r.close() }

func (r *runner) shutdown() error {
	r.cancel(mp.ErrClosed)
	r.announce(true)
	r.c.mu.Lock()
	delete(r.c.pools, r.id)
	r.c.mu.Unlock()
	if r.consume != nil {
		r.consume.Stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = r.c.tasks.Purge(ctx, jetstream.WithPurgeSubject(r.c.taskSubject(r.id))) // what remains ages out
	_ = r.c.results.Purge(ctx, jetstream.WithPurgeSubject(r.c.resultSubjects(r.id)))
	r.objects.Clear()
	_ = r.c.results.DeleteConsumer(ctx, r.consumerName())
	return nil
}

func (r *runner) consumerName() string { return "pool-" + r.id }
