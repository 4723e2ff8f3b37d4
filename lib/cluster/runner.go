package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"

	"github.com/perijove/perijove/lib/cluster/internal/objectcache"
	"github.com/perijove/perijove/lib/cluster/internal/pooloptions"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
	"github.com/perijove/perijove/lib/mp/mpsource"
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
	options pooloptions.Sender
	output  *pooloptions.Output
	tries   int // how often a task may begin

	mu         sync.Mutex
	queues     []*queue
	inflight   map[uint64]*batch
	sent       map[build]int // number of batches in inflight, by build
	next       uint64
	tasks      uint64 // number of tasks so far
	broken     error  // why no task runs any more; nil while the pool works
	duplicates int    // outcomes of tasks that had one already
}

func (c *Cluster) newRunner(o *mpremote.PoolOptions) (*runner, error) {
	r := &runner{c: c, id: newID(), room: semaphore.NewWeighted(maxInflightBytes), inflight: make(map[uint64]*batch), sent: make(map[build]int),
		output: pooloptions.NewOutput(o), tries: c.o.tries}
	r.options = pooloptions.Sender{Options: o, Pool: r.id, Store: c.objects}
	if o.Retries != mpremote.DefaultRetries {
		r.tries = o.Retries + 1
	}
	if err := r.options.Check(c.o.maxValue); err != nil {
		return nil, err
	}
	r.objects.Limit, r.objects.Dropped = maxCacheBytes, c.objects.Delete
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
func (r *runner) Workers() (n int) {
	for _, m := range r.c.members.Current() {
		if m.Build == r.c.build || m.Offers && mpsource.Current() != nil {
			n += m.Slots
		}
	}
	return n
}

// Run implements mpremote.Runner.
func (r *runner) Run(ctx context.Context, f *mpremote.Func, arg []byte) (mpremote.Outcome, error) {
	if n := len(arg); n > r.c.o.maxValue {
		return mpremote.Outcome{}, fmt.Errorf("cluster: the argument of %s takes %d bytes, more than the limit of %d: "+
			"divide the argument into smaller ones, or raise the limit with cluster.MaxValue: %w", f.Name, n, r.c.o.maxValue, mp.ErrTooLarge)
	}
	size := int64(min(len(arg), maxInflightBytes))
	if err := r.acquire(ctx, size); err != nil {
		return mpremote.Outcome{}, err
	}
	defer r.room.Release(size)
	t := &task{ctx: ctx, arg: arg, done: make(chan struct{})}
	r.add(f, t)
	select {
	case <-t.done:
		if t.told { // the outcome says only that a worker was told that ctx has ended
			return mpremote.Outcome{}, context.Cause(ctx)
		}
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
	if r.broken != nil {
		t.err = r.broken
		close(t.done)
		return
	}
	r.tasks++
	t.number = r.tasks
	i := slices.IndexFunc(r.queues, func(q *queue) bool { return sameFunction(q.f, f) })
	if i < 0 {
		i = len(r.queues)
		r.queues = append(r.queues, &queue{f: f, served: time.Now()})
	}
	q := r.queues[i]
	q.pending = append(q.pending, t)
	r.dispatchLocked()
}

// sameFunction reports whether two Funcs are the same function with the same source. A
// notebook's function keeps its ID when a cell declares it again.
func sameFunction(a, b *mpremote.Func) bool {
	return a.ID == b.ID && a.Arg == b.Arg && a.Result == b.Result && a.Bound == b.Bound &&
		(a.Source == nil) == (b.Source == nil) && (a.Source == nil || a.Source.Hash == b.Source.Hash)
}

// abandon forgets the task t, whose context has ended, and tells the workers. It also withdraws the
// other tasks whose contexts have ended: without that, they would begin when t makes room for them.
func (r *runner) abandon(t *task) {
	r.mu.Lock()
	canceled := r.withdrawLocked()
	b := t.batch
	if b == nil || b.tasks[t.index] != t {
		r.mu.Unlock()
		r.tell(canceled)
		return
	}
	r.settleLocked(b, t.index, mpremote.Outcome{}, context.Canceled)
	b.drop = b.left == 0
	stored, all := b.seq > 0, b.drop
	r.mu.Unlock()
	r.tell(canceled)
	if stored && all {
		r.c.background(func() { r.remove(b) })
	}
}

// withdrawLocked forgets tasks that were not sent and whose contexts have ended. It returns messages about
// those that were sent and not told, so that a worker cancels waiting tasks before the running ones.
func (r *runner) withdrawLocked() []wire.Cancel {
	for _, q := range r.queues {
		q.pending = slices.DeleteFunc(q.pending, func(t *task) bool { return t.ctx.Err() != nil })
	}
	var list []wire.Cancel
	for id, b := range r.inflight {
		c := wire.Cancel{Pool: r.id, Batch: id}
		for i, t := range slices.Backward(b.tasks) {
			if t != nil && !t.told && t.ctx.Err() != nil {
				t.told = true
				c.Indexes = append(c.Indexes, i)
			}
		}
		if len(c.Indexes) > 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b wire.Cancel) int { return cmp.Compare(b.Batch, a.Batch) })
	return list
}

// tell sends messages about canceled tasks. If a message is lost, its tasks run to their ends.
func (r *runner) tell(canceled []wire.Cancel) {
	for _, c := range canceled {
		_ = r.c.conn.Publish(r.c.cancelSubject(), c.Encode())
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

// checkWorkers sends waiting tasks if there are workers, and fails the tasks of a function if
// none could run it for the WorkerTimeout. It takes back batches whose workers have gone if
// there are other workers.
func (r *runner) checkWorkers() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range r.queues {
		targets := r.targets(q.f)
		waiting := len(q.pending) > 0
		var lost []*batch
		for _, b := range r.inflight {
			if b.q == q {
				waiting = true
				if !slices.ContainsFunc(targets, func(t target) bool { return t.build == b.to }) {
					lost = append(lost, b)
				}
			}
		}
		if len(targets) > 0 || !waiting {
			q.served = time.Now()
			for _, b := range lost {
				r.moveLocked(b)
			}
		} else if time.Since(q.served) >= r.c.o.workerTimeout {
			q.served = time.Now()
			r.failQueueLocked(q, r.noWorkers(q.f))
		}
	}
	r.dispatchLocked()
}

// breakDown makes all tasks fail with err.
func (r *runner) breakDown(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return
	}
	r.broken = err
	for _, q := range r.queues {
		r.failQueueLocked(q, err)
	}
}

// failQueueLocked fails all tasks of a function with err.
func (r *runner) failQueueLocked(q *queue, err error) {
	for _, t := range q.pending {
		t.err = err
		close(t.done)
	}
	q.pending = nil
	for _, b := range r.inflight {
		if b.q != q {
			continue
		}
		r.failLocked(b, err)
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
	_ = r.c.tasks.Purge(ctx, jetstream.WithPurgeSubject(r.c.taskSubject("*", r.id))) // the server deletes what remains when it is too old
	_ = r.c.results.Purge(ctx, jetstream.WithPurgeSubject(r.c.resultSubjects(r.id)))
	r.objects.Clear()
	r.options.Close()
	_ = r.c.results.DeleteConsumer(ctx, r.consumerName())
	return r.output.Err()
}

func (r *runner) consumerName() string { return "pool-" + r.id }
