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

const (
	// batchTime is how long a batch should take.
	batchTime = 20 * time.Millisecond
	// maxBatchBytes limits the arguments of a batch, and maxInline a value in a message;
	// a larger one becomes an object.
	maxBatchBytes = 256 << 10
	maxInline     = 128 << 10
	// maxInflightBytes limits the arguments of a pool that are under way.
	maxInflightBytes = 512 << 20
	// batchesPerSlot is how many batches are under way for each task that the workers run
	// at once, so that one waits when another ends.
	batchesPerSlot = 3
)

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

// A queue has the tasks of one function that are not yet sent.
type queue struct {
	f       *mpremote.Func
	pending []*task
	perTask time.Duration // smoothed; 0 before the first result
}

// A task waits for its outcome. Guarded by runner.mu, except for done.
type task struct {
	arg     []byte
	done    chan struct{} // closed when outcome or err is set
	outcome mpremote.Outcome
	err     error
	batch   *batch // nil until it is sent
	index   int
}

// A batch is a sent batch. Guarded by runner.mu.
type batch struct {
	id    uint64
	q     *queue
	tasks []*task // an element is nil when its outcome is known
	left  int
	seq   uint64 // in the stream; 0 until it is stored
	drop  bool   // no task is awaited any more

	release []func() // of the objects with its arguments
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

// acquire waits for room for the bytes of an argument.
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

// dispatchLocked sends batches while few enough are under way. It takes from the queues in
// turn.
func (r *runner) dispatchLocked() {
	slots := 0
	for tried := 0; tried < len(r.queues); {
		if slots == 0 {
			slots = max(r.Workers(), 1)
		}
		if len(r.inflight) >= max(8, batchesPerSlot*slots) {
			return
		}
		q := r.queues[0]
		r.queues = append(r.queues[1:], q)
		b := r.takeLocked(q, slots)
		if b == nil {
			tried++
			continue
		}
		tried = 0
		r.inflight[b.id] = b
		go r.send(b)
	}
}

// takeLocked makes a batch of the next tasks of q, or returns nil if it has none. The
// batch should take batchTime, and leave tasks for the other workers.
func (r *runner) takeLocked(q *queue, slots int) *batch {
	if len(q.pending) == 0 {
		return nil
	}
	n := 1
	if q.perTask > 0 {
		n = min(max(1, int(batchTime/q.perTask)), wire.MaxTasks, max(1, len(q.pending)/slots))
	}
	n = min(n, len(q.pending))
	for i, bytes := 0, 0; i < n; i++ {
		if arg := q.pending[i].arg; len(arg) <= maxInline { // else the message has the name of an object
			bytes += len(arg)
		}
		if i > 0 && bytes > maxBatchBytes {
			n = i
		}
	}
	r.next++
	b := &batch{id: r.next, q: q, tasks: slices.Clone(q.pending[:n]), left: n}
	clear(q.pending[:n])
	if q.pending = q.pending[n:]; len(q.pending) == 0 {
		q.pending = nil
	}
	for i, t := range b.tasks {
		t.batch, t.index = b, i
	}
	return b
}

// send stores a batch in the stream of tasks.
func (r *runner) send(b *batch) {
	r.mu.Lock()
	tasks := slices.Clone(b.tasks)
	r.mu.Unlock()
	msg, err := r.encode(b, tasks)
	var seq uint64
	if err == nil {
		seq, err = r.c.publish(r.ctx, r.c.taskSubject(r.id), fmt.Sprintf("%s.%d", r.id, b.id), msg)
	}
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.failLocked(b, err)
		return
	}
	r.mu.Lock()
	b.seq = seq
	drop, ended := b.drop, b.left == 0
	r.mu.Unlock()
	if drop {
		r.remove(b)
	}
	if ended {
		r.ended(b)
	}
}

// encode returns the message of a batch. Large arguments become objects, which are kept
// until the batch has ended.
func (r *runner) encode(b *batch, tasks []*task) ([]byte, error) {
	m := wire.Batch{Pool: r.id, ID: b.id, Tries: r.c.o.tries, MaxValue: r.c.o.maxValue,
		FuncID: b.q.f.ID, FuncName: b.q.f.Name, Arg: b.q.f.Arg, Result: b.q.f.Result, Args: make([]wire.Value, len(tasks))}
	for i, t := range tasks {
		switch {
		case t == nil: // its caller has gone; the worker is told so
		case len(t.arg) <= maxInline:
			m.Args[i].Bytes = t.arg
		default:
			name := argumentName(r.id, t.arg)
			_, release, err := r.objects.Use(name, func() ([]byte, int, error) {
				return nil, len(t.arg), r.c.putObject(r.ctx, name, t.arg)
			})
			if err != nil {
				return nil, err
			}
			r.mu.Lock()
			b.release = append(b.release, release)
			r.mu.Unlock()
			m.Args[i] = wire.Value{Form: wire.Object, Bytes: []byte(name)}
		}
	}
	return m.Encode(), nil
}

// failLocked ends all tasks of b with err.
func (r *runner) failLocked(b *batch, err error) {
	for i := range b.tasks {
		r.settleLocked(b, i, mpremote.Outcome{}, err)
	}
}

// settleLocked sets the outcome of a task of b, unless it has one.
func (r *runner) settleLocked(b *batch, i int, o mpremote.Outcome, err error) {
	t := b.tasks[i]
	if t == nil {
		r.duplicates++
		return
	}
	b.tasks[i], t.outcome, t.err = nil, o, err
	close(t.done)
	if b.left--; b.left == 0 {
		delete(r.inflight, b.id)
		if len(b.release) > 0 {
			r.c.background(func() { r.ended(b) })
		}
		r.dispatchLocked()
	}
}

// ended releases the objects of a batch.
func (r *runner) ended(b *batch) {
	r.mu.Lock()
	release := b.release
	b.release = nil
	r.mu.Unlock()
	for _, f := range release {
		f()
	}
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
	_ = r.c.conn.Publish(r.c.cancelSubject(), cancelled.Encode()) // a lost message costs the time of the task
	if stored && all {
		r.c.background(func() { r.remove(b) })
	}
}

// remove deletes a batch that no worker needs to run.
func (r *runner) remove(b *batch) {
	ctx, cancel := context.WithTimeout(r.c.ctx, 10*time.Second)
	defer cancel()
	_ = r.c.tasks.DeleteMsg(ctx, b.seq) // it is gone if a worker has ended it
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
	_ = r.c.conn.Publish(r.c.poolSubject(), p.Encode()) // it is repeated
}

// checkWorkers sends what waits for workers that have joined, and fails all tasks if there
// have been none for too long.
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
	_ = r.c.results.Purge(ctx, jetstream.WithPurgeSubject(r.c.resultSubject(r.id)))
	r.objects.Clear()
	_ = r.c.results.DeleteConsumer(ctx, r.consumerName())
	return nil
}

func (r *runner) consumerName() string { return "pool-" + r.id }
