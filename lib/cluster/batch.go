package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/objects"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

const (
	// batchTime is how long a batch should take.
	batchTime = 20 * time.Millisecond
	// maxBatchBytes limits the total size of the arguments of a batch. maxInline limits the
	// size of a value in a message; a larger one becomes an object.
	maxBatchBytes = 256 << 10
	maxInline     = 128 << 10
	// batchesPerSlot is how many batches are in flight for each task that the workers run at
	// once, so that the next is ready when one ends.
	batchesPerSlot = 3
)

// A queue has the tasks of one function that are not yet sent.
type queue struct {
	f       *mpremote.Func
	pending []*task
	served  time.Time     // when a worker that can run f was last known, or when the first task began to wait
	perTask time.Duration // smoothed; 0 before the first result
}

// A task waits for its outcome. Guarded by runner.mu, except for done.
type task struct {
	ctx     context.Context // of the call that waits for the task
	arg     []byte
	done    chan struct{} // closed when outcome or err is set
	outcome mpremote.Outcome
	err     error
	number  uint64 // the same in each batch that has the task
	batch   *batch // nil until it is sent
	index   int
	told    bool // the workers of batch have been told that ctx has ended
}

// A batch is a sent batch. Guarded by runner.mu.
type batch struct {
	id    uint64
	to    build // of the workers that get it
	q     *queue
	tasks []*task // an element is nil when its outcome is known
	left  int
	seq   uint64 // in the stream; 0 until it is stored
	drop  bool   // no task is awaited any more

	release []func() // of the objects with its arguments
}

// dispatchLocked sends batches until enough are in flight. It takes from the queues in
// turn.
func (r *runner) dispatchLocked() {
	targets := map[*queue][]target{}
	for tried := 0; tried < len(r.queues); {
		q := r.queues[0]
		r.queues = append(r.queues[1:], q)
		if len(q.pending) == 0 {
			tried++
			continue
		}
		list, known := targets[q]
		if !known {
			list = r.targets(q.f)
			targets[q] = list
		}
		to := r.destinationLocked(q.f, list)
		if to == nil {
			tried++
			continue
		}
		tried = 0
		b := r.takeLocked(q, to.slots)
		b.to = to.build
		r.inflight[b.id] = b
		r.sent[b.to]++
		go r.send(b)
	}
}

// takeLocked makes a batch of the next tasks of q, which has some. The
// batch should take batchTime, and leave tasks for the other workers.
func (r *runner) takeLocked(q *queue, slots int) *batch {
	n := 1
	if q.perTask > 0 {
		n = min(max(1, int(batchTime/q.perTask)), r.c.o.maxBatch, max(1, len(q.pending)/slots))
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
		t.batch, t.index, t.told = b, i, false
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
		seq, err = r.c.publish(r.ctx, r.c.taskSubject(buildID(b.to), r.id), fmt.Sprintf("%s.%d", r.id, b.id), msg)
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
	m := wire.Batch{Pool: r.id, ID: b.id, Tries: r.tries, MaxValue: r.c.o.maxValue,
		FuncID: b.q.f.ID, FuncName: b.q.f.Name, Arg: b.q.f.Arg, Result: b.q.f.Result, Args: make([]wire.Value, len(tasks)), Numbers: make([]uint64, len(tasks))}
	var err error
	if m.Settings, err = r.options.Value(r.ctx, b.to != r.c.build); err != nil {
		return nil, err
	}
	if b.to != r.c.build {
		m.FuncID, m.Function, m.Hash = "", b.q.f.Source.Name, b.q.f.Source.Hash
	}
	for _, s := range []string{m.FuncID, m.FuncName, m.Arg, m.Result, m.Function} {
		if len(s) > wire.MaxString {
			return nil, fmt.Errorf("cluster: cannot send the function %.200s: its name or the name of one of its types takes %d bytes, more than the limit of %d; shorten that name", m.FuncName, len(s), wire.MaxString)
		}
	}
	for i, t := range tasks {
		if t == nil {
			continue // its caller no longer waits; a wire.Cancel tells the worker
		}
		m.Numbers[i] = t.number
		switch {
		case len(t.arg) <= maxInline:
			m.Args[i].Bytes = t.arg
		default:
			name := objects.ArgumentName(r.id, t.arg)
			_, release, err := r.objects.Use(name, func() ([]byte, int, error) {
				return nil, len(t.arg), r.c.objects.Put(r.ctx, name, t.arg)
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
		r.sent[b.to]--
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

// remove deletes a batch that no worker needs to run.
func (r *runner) remove(b *batch) {
	ctx, cancel := context.WithTimeout(r.c.ctx, 10*time.Second)
	defer cancel()
	_ = r.c.tasks.DeleteMsg(ctx, b.seq) // on an error, a worker may have acknowledged the message already
}
