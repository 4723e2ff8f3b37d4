package pool

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Streaming is a running Stream, for the loop in mp.Stream.
type Streaming interface {
	// Feed adds an argument of the sequence, and reports whether the stream takes more.
	Feed(a unsafe.Pointer) bool
	// Returned must be called when the sequence has returned.
	Returned()
	// Fed must be deferred in the goroutine that runs the sequence. It ends the arguments,
	// also if the sequence has panicked or called runtime.Goexit.
	Fed()
	// Next waits for the next result, and returns it with the error of its task. At the
	// end of the stream more is false, and err is the stream's error.
	Next() (r unsafe.Pointer, err error, more bool)
	// Close cancels the tasks that still run. It must be called once, after the last Next.
	Close()
}

// Stream implements mp.Stream. report may be nil.
func (p *Pool) Stream(ctx context.Context, fn call.Function, ordered bool, report func(done, total int)) (Streaming, error) {
	ctx, release := mphost.WithCancel(ctx)
	f, err := p.prepare(&fn)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = p.begin()
	}
	if err != nil {
		release()
		return nil, err
	}
	inner, cancel := p.jobContext(ctx)
	j := &streamJob{
		st: jobState{fn: f, depth: taskDepth(), isStream: true}, p: p, fn: fn, do: fn.Bind(inner, p.o.TaskTimeout), ctx: ctx,
		ordered: ordered, ready: make(map[int]piece), args: newArgQueue(fn.Arg),
	}
	j.limit.Store(int64(j.ahead()))
	j.changed = sync.NewCond(&j.mu)
	j.progress = newProgress(report, -1, j.wakeAll)
	stop, stopToo := context.AfterFunc(ctx, j.wakeAll), context.AfterFunc(p.ctx, j.wakeAll)
	j.release = func() {
		stop()
		stopToo()
		cancel()
		j.finish()
		release()
	}
	p.mu.Lock()
	closed := p.closed
	p.streams[j] = true
	p.mu.Unlock()
	if closed {
		j.closeInput()
	}
	return j, nil
}

// A streamJob implements Streaming. It is the job of one Stream.
type streamJob struct {
	st      jobState
	p       *Pool
	fn      call.Function
	do      func(i int, a, r unsafe.Pointer) error
	ctx     context.Context
	release func()
	ordered bool

	progress *progress

	// Used only by the loop.
	now   piece
	i     int  // the next task in now
	bad   bool // some tasks in now failed
	seen  int  // tasks up to the end of now
	ended bool

	args    *argQueue
	limit   atomic.Int64 // how many arguments may be added; stored with mu locked
	offerAt atomic.Int64 // Feed calls tell when so many arguments were added; stored with mu locked

	mu        sync.Mutex
	changed   *sync.Cond
	base      int   // index of the first argument that was not taken yet
	listed    bool  // the pool will ask for tasks
	waits     bool  // late is going to be called
	minOffer  int   // how many tasks justify one more worker
	whole     bool  // the sequence has ended, in any way
	complete  bool  // the sequence has returned
	failure   error // the error of the sequence
	isClosing bool  // the pool is being closed
	arrived   int   // tasks that have an outcome
	yielded   int   // tasks whose results were yielded, or are about to be
	size      int   // size of the last batch that the pool asked for
	ready     map[int]piece
	order     []int // keys of ready in the order of arrival
}

// A piece is a range of a chunk whose outcomes are known.
type piece struct {
	c        *chunk
	from, to int
}

func (j *streamJob) state() *jobState { return &j.st }

func (j *streamJob) left() int { return -1 }

func (j *streamJob) isListed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.listed
}

func (j *streamJob) take(max int) *chunk {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.size = max
	j.minOffer = min(j.st.size, maxMinOffer)
	j.limit.Store(int64(j.yielded + j.ahead()))
	n := min(max, j.args.count()-j.base)
	if n == 0 {
		j.listed = false
		if !j.tellLocked() {
			return nil
		}
		n = min(max, j.args.count()-j.base) // an argument was added at this moment
	}
	args, n := j.args.take(n)
	c := &chunk{
		st: &j.st, kind: &j.fn, do: j.do, sink: j.settled, errs: new(faults),
		base: j.base, n: n, args: args, out: j.fn.Result.Room(n),
	}
	j.base += n
	if j.args.count()-j.base < j.minOffer {
		j.listed = false
		j.tellLocked()
	}
	return c
}

func (j *streamJob) Returned() {
	j.mu.Lock()
	j.complete = true
	j.mu.Unlock()
}

// Fed implements Streaming.Fed. It recovers a panic of the sequence.
func (j *streamJob) Fed() {
	v := recover()
	j.mu.Lock()
	j.whole = true
	switch {
	case v != nil:
		j.failure = failure.Wrap("the stream's sequence failed", failure.NewPanicError(v))
	case !j.complete:
		j.failure = failure.Wrap("the stream's sequence failed", failure.ErrGoexit)
	case j.isClosing:
		j.failure = shm.ErrClosed
	}
	j.reportLocked()
	j.mu.Unlock()
	j.changed.Broadcast()
}

// closeInput ends the stream after the tasks that it has, because the pool is being
// closed. The pool waits for these tasks, but not for the loop.
func (j *streamJob) closeInput() {
	j.mu.Lock()
	j.isClosing = true
	j.args.seal()
	idle := j.arrived == j.args.count()
	j.mu.Unlock()
	j.changed.Broadcast()
	if idle {
		j.finish()
	}
}

// finish tells the pool that the stream will have no more tasks.
func (j *streamJob) finish() {
	j.p.mu.Lock()
	known := j.p.streams[j]
	delete(j.p.streams, j)
	j.p.mu.Unlock()
	if known {
		j.p.finished(1)
	}
}

// settled records finished tasks and wakes the loop.
func (j *streamJob) settled(c *chunk, from, to int) {
	j.p.trace(tracing.SendLocal, tracing.KindLocalResult, unsafe.Pointer(&j.st), c.base+from)
	j.mu.Lock()
	j.ready[c.base+from] = piece{c, from, to}
	if !j.ordered {
		j.order = append(j.order, c.base+from)
	}
	j.arrived += to - from
	j.reportLocked()
	last := j.isClosing && j.arrived == j.args.count()
	tell := j.tellLocked()
	j.mu.Unlock()
	j.changed.Broadcast()
	if tell {
		j.p.offer(j)
	}
	if last {
		j.finish()
	}
}

func (j *streamJob) reportLocked() {
	total := -1
	if j.whole {
		total = j.args.count()
	}
	j.progress.set(j.arrived, total)
}

func (j *streamJob) wakeAll() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.changed.Broadcast()
}

func (j *streamJob) end() {
	j.mu.Lock()
	j.args.seal()
	j.mu.Unlock()
	j.changed.Broadcast()
}

func (j *streamJob) Next() (r unsafe.Pointer, err error, more bool) {
	if j.i == j.now.to {
		c, ok, err := j.await(j.seen)
		if !ok && err == nil {
			err = j.progress.end(j.ctx, true)
		}
		if err != nil || !ok {
			j.ended = true
			j.end()
			if err != nil {
				j.p.stop(&j.st, err)
			}
			return nil, err, false
		}
		j.seen += c.to - c.from
		j.now, j.i, j.bad = c, c.from, !c.c.errs.none()
	}
	c, i := j.now.c, j.i
	j.i++
	if j.bad {
		if err = c.err(i); err != nil {
			err = itemError(c.base+i, err)
		}
	}
	return c.result(i), err, true
}

func (j *streamJob) Close() {
	if !j.ended { // the loop ended early
		j.end()
		j.p.stop(&j.st, context.Canceled)
	}
	_ = j.progress.end(j.ctx, false) // the loop has this error or ended early
	j.release()
}

// await waits for the next piece to yield; ok is false after the last one. at is the
// index of its first task.
func (j *streamJob) await(at int) (c piece, ok bool, err error) {
	var back func() // ends the lending of the slot of the task that runs the loop
	defer func() {
		if back != nil {
			back()
		}
	}()
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		if err := cmp.Or(context.Cause(j.ctx), j.progress.failure()); err != nil {
			return c, false, err
		}
		key := at
		if !j.ordered && len(j.order) > 0 {
			key = j.order[0]
		}
		if c, ok = j.ready[key]; ok {
			break
		}
		switch all := at == j.args.count(); {
		case all && j.whole:
			return c, false, j.failure
		case all && j.isClosing:
			return c, false, shm.ErrClosed
		case j.p.ctx.Err() != nil:
			return c, false, context.Cause(j.p.ctx)
		}
		if back == nil {
			j.mu.Unlock()
			back = StartHelper(j.st.depth)
			j.mu.Lock()
		} else {
			j.changed.Wait()
		}
	}
	if !j.ordered {
		j.order = j.order[1:]
	}
	delete(j.ready, c.c.base+c.from)
	j.yielded += c.to - c.from
	j.limit.Store(int64(j.yielded + j.ahead()))
	j.p.trace(tracing.ReceiveLocal, tracing.KindLocalResult, unsafe.Pointer(&j.st), c.c.base+c.from)
	j.changed.Broadcast()
	return c, true, nil
}
