package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/awaited"
	"github.com/perijove/perijove/lib/cluster/internal/begins"
	"github.com/perijove/perijove/lib/cluster/internal/childenv"
	"github.com/perijove/perijove/lib/cluster/internal/jobs"
	"github.com/perijove/perijove/lib/cluster/internal/objects"
	"github.com/perijove/perijove/lib/cluster/internal/pooloptions"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

const (
	// reportInterval is how often the outcomes of finished tasks are sent while other tasks of
	// the batch run.
	reportInterval = 50 * time.Millisecond
	objectTimeout  = 5 * time.Minute
)

// An executor runs the tasks of one pool. Each pool has its own child processes, so that
// pools share no state, and output can be sent to its pool.
type executor struct {
	*mpremote.Executor
	since       time.Time
	initialized bool // its child processes begin with an initializer
}

// newExecutor starts child processes for a pool. Their output goes to the pool's process,
// directly if the pool is in this process.
func (a *agent) newExecutor(pool string, tries int, o mpremote.ExecutorOptions) (*executor, error) {
	o.Workers, o.Retries, o.Env = a.slots, tries-1, append(a.c.childEnviron(), o.Env...)
	if own := a.ownPool(pool); own != nil {
		o.Stdout, o.Stderr = own.output.Stdout, own.output.Stderr
	} else if pool != "" {
		o.Stdout = outputWriter{a, pool, false}
		o.Stderr = outputWriter{a, pool, true}
	}
	x, err := mpremote.NewExecutor(o)
	if err != nil {
		return nil, err
	}
	return &executor{Executor: x, since: time.Now(), initialized: o.Initializer != nil}, nil
}

func (c *Cluster) childEnviron() []string {
	return (&childenv.Cluster{Build: c.build, Name: c.o.name, URL: c.o.url, Token: c.o.token}).Environ()
}

// ownPool returns the pool with an id if it is one of this process, else nil.
func (a *agent) ownPool(id string) *runner {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return a.c.pools[id]
}

// executor returns the executor of the pool of b, which it makes if it is missing. If refused
// is not nil, the options of the pool cannot be applied here, and its tasks fail.
func (a *agent) executor(b *wire.Batch) (x *executor, refused, err error) {
	a.mu.Lock()
	x, closed := a.executors[b.Pool], a.executors == nil
	a.mu.Unlock()
	if closed {
		return nil, nil, mp.ErrClosed
	}
	if x != nil {
		return x, nil, nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, objectTimeout)
	defer cancel()
	o, refused := pooloptions.Read(ctx, a.c.objects, b.Settings, b.MaxValue)
	if a.ctx.Err() != nil {
		return nil, nil, context.Cause(a.ctx)
	}
	if refused != nil {
		return nil, refused, nil
	}
	x, err = a.addExecutor(b, o)
	return x, nil, err
}

// addExecutor makes the executor of the pool of b, unless another call has made it.
func (a *agent) addExecutor(b *wire.Batch, o mpremote.ExecutorOptions) (*executor, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.executors == nil {
		return nil, mp.ErrClosed
	}
	if x := a.executors[b.Pool]; x != nil {
		return x, nil
	}
	own := a.ownPool(b.Pool)
	x, err := a.spare, error(nil)
	if own != nil && x != nil && own.isPlain() {
		a.spare, x.since = nil, time.Now()
	} else {
		x, err = a.newExecutor(b.Pool, b.Tries, o)
	}
	if err == nil {
		a.executors[b.Pool] = x
	}
	return x, err
}

// isPlain reports whether child processes that have been started without options can run the
// pool's tasks.
func (r *runner) isPlain() bool {
	return r.options.IsDefault() && r.tries == r.c.o.tries && r.output.Stdout == nil && r.output.Stderr == nil
}

// restarts returns how many child processes were replaced.
func (a *agent) restarts() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.executors {
		n += x.Restarts()
	}
	return n
}

// A running is a task that the agent runs, or has failed to begin.
type running struct {
	*mpremote.Task
	arg     wire.Value
	release func()
}

// Cancel cancels the task.
func (t *running) Cancel() {
	if t.Task != nil {
		t.Task.Cancel()
	}
}

// run runs a batch, reports its outcomes, and then acknowledges its message.
func (a *agent) run(b *wire.Batch, msg jetstream.Msg) {
	h, key := a.hold(b, msg), begins.Batch{Pool: b.Pool, ID: b.ID}
	if h == nil {
		return
	}
	err := a.begins.Begin(a.ctx, key)
	if err == nil {
		err = a.runHeld(b, h)
	}
	if err == nil {
		a.acknowledge(b, a.message(h))
		a.release(b)
		a.begins.End(key)
		return
	}
	// The agent stops, or the server cannot be reached.
	msg = a.release(b)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if a.begins.Drop(ctx, key) == nil || a.ctx.Err() != nil {
		_ = msg.Nak()
	}
}

func (a *agent) runHeld(b *wire.Batch, h *held) error {
	x, refused, err := a.executor(b)
	if err != nil {
		return err
	}
	begin := time.Now()
	f := &mpremote.Func{ID: b.FuncID, Name: b.FuncName, Arg: b.Arg, Result: b.Result, Registered: b.Function, Hash: b.Hash}
	tasks, key := make([]*running, len(b.Args)), awaited.Key{Pool: b.Pool, Batch: b.ID}
	early := a.cancels.Of(key) // the wire.Cancel may have come before the batch
	for i := range b.Args {
		refusal := refused
		if refusal == nil && slices.Contains(early, i) {
			refusal = context.Canceled
		}
		tasks[i] = a.startTask(x, refusal, f, b, i)
	}
	a.mu.Lock()
	h.tasks = tasks
	a.mu.Unlock()
	a.cancelTasks(key) // or while the tasks started
	a.busy.Add(int64(len(tasks)))
	defer a.busy.Add(-int64(len(tasks)))
	r := report{a: a, b: b, x: x, begin: begin}
	flush := time.NewTicker(reportInterval)
	defer flush.Stop()
	for i, t := range tasks {
		for waiting := true; waiting; {
			select {
			case <-t.Done():
				waiting = false
			case <-flush.C:
				err = errors.Join(err, r.send(false))
			}
		}
		if a.ctx.Err() != nil {
			return context.Cause(a.ctx) // the children were killed: another worker runs the batch
		}
		err = errors.Join(err, r.add(i, t))
		t.release()
		a.done.Add(1)
	}
	return errors.Join(err, r.send(true))
}

// failureFor returns the outcome of a task of b that failed with err.
func failureFor(b *wire.Batch, err error) mpremote.Outcome {
	if b.Hash != (build{}) {
		return mpremote.PortableFailure(err)
	}
	return mpremote.Failure(err)
}

// startTask begins a task. An argument that is an object is fetched first. If refusal is not
// nil, the task fails with it.
func (a *agent) startTask(x *executor, refusal error, f *mpremote.Func, b *wire.Batch, i int) *running {
	v := b.Args[i]
	arg, release, err := v.Bytes, func() {}, refusal
	if v.Form == wire.Object && err == nil {
		name := string(v.Bytes)
		arg, release, err = a.objects.Use(name, func() ([]byte, int, error) {
			ctx, cancel := context.WithTimeout(a.ctx, objectTimeout)
			defer cancel()
			data, err := a.c.objects.Get(ctx, name, b.MaxValue)
			return data, len(data), err
		})
	}
	t := &running{arg: v, release: release}
	if err != nil {
		t.Task = mpremote.FailedTask(f, err)
	} else {
		t.Task = x.Start(f, arg, taskKey(b, i))
	}
	return t
}

// A report collects outcomes of a batch and sends them.
type report struct {
	a     *agent
	b     *wire.Batch
	x     *executor // nil if the tasks did not begin
	begin time.Time
	part  wire.Result
	bytes int
	sent  int
}

// add adds the outcome of task i.
func (r *report) add(i int, t *running) error {
	o, taskErr := t.Outcome()
	if exit, ok := errors.AsType[*mp.ExitError](taskErr); ok && exit != nil && !errors.Is(taskErr, context.DeadlineExceeded) { // else the TaskTimeout ended it
		r.a.storeDeadLetter(&wire.DeadLetter{Pool: r.b.Pool, Batch: r.b.ID, Index: i, FuncName: r.b.FuncName, Error: taskErr.Error(), Tries: r.b.Tries, Worker: r.a.id, Arg: t.arg})
	}
	if taskErr != nil {
		r.a.failed.Add(1)
	}
	v, err := r.value(o, taskErr)
	if err != nil {
		return err
	}
	r.part.Indexes = append(r.part.Indexes, i)
	r.part.Values = append(r.part.Values, v)
	if r.bytes += len(v.Bytes); r.bytes > maxBatchBytes {
		return r.send(false)
	}
	return nil
}

// value returns the Value of an outcome. A large one becomes an object.
func (r *report) value(o mpremote.Outcome, taskErr error) (wire.Value, error) {
	if jobs.Is(r.b.Pool) {
		return jobs.Value(r.b, o, taskErr), nil
	}
	if n := len(o.Bytes); n > r.b.MaxValue {
		o = failureFor(r.b, fmt.Errorf("cluster: the result of %s takes %d bytes, more than the limit of %d: "+
			"return a smaller value, or raise the limit with cluster.MaxValue: %w", r.b.FuncName, n, r.b.MaxValue, mp.ErrTooLarge))
	}
	v := wire.Value{Form: wire.Inline, Bytes: o.Bytes}
	if o.Failed {
		v.Form = wire.Failed
	}
	if len(o.Bytes) <= maxInline {
		return v, nil
	}
	ctx, cancel := context.WithTimeout(r.a.ctx, objectTimeout)
	defer cancel()
	name := objects.ResultName(r.b.Pool, o.Bytes)
	if err := r.a.c.objects.Put(ctx, name, o.Bytes); err != nil {
		return v, err
	}
	if v.Form, v.Bytes = wire.Object, []byte(name); o.Failed {
		v.Form = wire.FailedObject
	}
	return v, nil
}

// send stores the collected outcomes in the stream of results.
func (r *report) send(last bool) error {
	if len(r.part.Indexes) == 0 {
		return nil
	}
	r.part.Pool, r.part.Batch, r.part.Worker = r.b.Pool, r.b.ID, r.a.id
	if last {
		r.part.Elapsed = max(time.Since(r.begin)/time.Duration(len(r.b.Args)), 1)
	}
	if r.x != nil && r.x.initialized {
		if err := r.x.Broken(); err != nil {
			r.part.Broken = failureFor(r.b, err).Bytes
		}
	}
	r.sent++
	id := fmt.Sprintf("%s.%s.%d.%d", r.a.id, r.b.Pool, r.b.ID, r.sent)
	_, err := r.a.c.publish(r.a.ctx, r.a.c.resultSubject(r.b.Pool, r.b.ID), id, r.part.Encode())
	if err != nil && jobs.Is(r.b.Pool) && r.a.c.isDeleted(r.a.ctx, r.b.Pool) {
		err = nil
	}
	r.part, r.bytes = wire.Result{}, 0
	return err
}

// failure returns the Value of the error of a task that did not run.
func failure(b *wire.Batch, err error) wire.Value {
	o := failureFor(b, err)
	if jobs.Is(b.Pool) {
		return jobs.Value(b, o, err)
	}
	return wire.Value{Form: wire.Failed, Bytes: o.Bytes}
}

// giveUp fails the tasks of a batch whose workers have died too often.
func (a *agent) giveUp(b *wire.Batch, msg jetstream.Msg) {
	err := fmt.Errorf("cluster: no result of %s: each process that ran the task was lost, and the option cluster.Tries limits the number of tries to %d", b.FuncName, b.Tries)
	r := report{a: a, b: b, begin: time.Now()}
	for i, v := range b.Args {
		r.part.Indexes = append(r.part.Indexes, i)
		r.part.Values = append(r.part.Values, failure(b, err))
		a.storeDeadLetter(&wire.DeadLetter{Pool: b.Pool, Batch: b.ID, Index: i, FuncName: b.FuncName, Error: err.Error(), Tries: b.Tries, Worker: a.id, Arg: v})
	}
	if r.send(false) == nil {
		_ = msg.Ack()
	}
}

// An outputWriter sends output of tasks to the process of their pool.
type outputWriter struct {
	a       *agent
	pool    string
	isError bool
}

// maxOutput is the largest part of output that one message carries.
const maxOutput = 64 << 10

func (w outputWriter) Write(b []byte) (int, error) {
	for part := range slices.Chunk(b, maxOutput) {
		if jobs.Is(w.pool) {
			_ = w.a.c.conn.Publish(w.a.c.jobOutput(w.pool, w.isError), part) // the job may have no listener
			continue
		}
		s := wire.Result{Pool: w.pool, Worker: w.a.id, Stdout: part}
		if w.isError {
			s.Stdout, s.Stderr = nil, part
		}
		if _, err := w.a.c.publish(w.a.ctx, w.a.c.resultSubject(w.pool, 0), "", s.Encode()); err != nil {
			return len(b), nil // the pool or the server is gone; tasks go on
		}
	}
	return len(b), nil
}
