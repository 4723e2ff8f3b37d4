package mp

import (
	"cmp"
	"context"
	"iter"
	"sync"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Stream applies fn to what seq yields, on the pool's workers, and yields the
// results in the order of seq. A task's error is yielded in its place and the
// stream goes on; after an error of ctx or of the pool itself it ends. Breaking
// out of the loop cancels what runs.
//
// seq runs in its own goroutine, ahead of the results by as much as keeps the
// workers busy, and no more: it may be endless. If it panics or calls
// runtime.Goexit, that is the stream's last error.
func Stream[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, seq iter.Seq[A], opts ...JobOption) iter.Seq2[R, error] {
	return stream[R](ctx, p, fn, seq, true, opts)
}

// StreamUnordered is Stream with each result as soon as it is there.
func StreamUnordered[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, seq iter.Seq[A], opts ...JobOption) iter.Seq2[R, error] {
	return stream[R](ctx, p, fn, seq, false, opts)
}

// stream is not inlined: with its loops, it would be compiled once more.
//
//go:noinline
func stream[R, A, F any](ctx context.Context, p *Pool, fn F, seq iter.Seq[A], ordered bool, opts []JobOption) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		s, err := openStream(ctx, p, call.Of[R, A](fn, false), ordered, opts)
		if err != nil {
			yield(*new(R), err)
			return
		}
		defer s.close()
		go func() {
			defer s.fed()
			for a := range seq {
				if !s.feed(call.Hide(unsafe.Pointer(&a))) {
					break
				}
			}
			s.returned()
		}()
		r, err, more := s.next()
		for ; more; r, err, more = s.next() {
			if !yield(*(*R)(r), err) {
				return
			}
		}
		if err != nil {
			yield(*new(R), err)
		}
	}
}

// A streaming is a stream as its loop sees it.
type streaming interface {
	// feed adds an argument, and reports whether more are wanted. returned says
	// that the sequence has returned, and fed, which is deferred, that it is over.
	feed(a unsafe.Pointer) bool
	returned()
	fed()
	// next waits for the next result, and the error of its task. more is false
	// at the end of the stream; err is its error then.
	next() (r unsafe.Pointer, err error, more bool)
	// close stops what still runs.
	close()
}

//go:noinline
func openStream(ctx context.Context, pool *Pool, fn call.Function, ordered bool, opts []JobOption) (streaming, error) {
	if pool == nil {
		return nil, nilError("Pool")
	}
	ctx, release := mphost.WithCancel(ctx)
	p := poolOf(pool)
	o, err := newJobOptions(opts)
	var f *function
	if err == nil {
		f, err = p.prepare(&fn)
	}
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
		st: jobState{fn: f, depth: taskDepth()}, p: p, fn: fn, do: fn.Bind(inner, p.o.taskTimeout), ctx: ctx,
		ordered: ordered, ready: make(map[int]piece), pending: untypedSlice{elem: fn.Arg},
	}
	j.changed = sync.NewCond(&j.mu)
	j.progress = newProgress(o, -1, j.wakeAll)
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

// A streamJob is one running Stream.
type streamJob struct {
	st      jobState
	p       *pool
	fn      call.Function
	do      func(i int, a, r unsafe.Pointer) error
	ctx     context.Context
	release func()
	ordered bool

	progress *progress

	// Of the loop alone.
	now   piece
	i     int  // the task that is next there
	bad   bool // some tasks there failed
	seen  int  // tasks up to there
	ended bool

	mu        sync.Mutex
	changed   *sync.Cond
	pending   untypedSlice // not taken yet
	base      int          // place of the first of them
	listed    bool         // the pool will ask for tasks
	waits     bool         // late will be called
	minOffer  int          // how many tasks are worth a worker more
	whole     bool         // there are no more arguments
	complete  bool         // the sequence has returned
	failure   error        // of the sequence
	over      bool         // no more are wanted
	isClosing bool         // because the pool is to be closed
	arrived   int          // tasks that have an outcome
	yielded   int          // tasks whose results were yielded, or are about to be
	size      int          // of a batch, as the pool last asked for one
	ready     map[int]piece
	order     []int // keys of ready as they came
}

// A piece is a range of a chunk whose outcomes are there.
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
	n := min(max, j.pending.n)
	if j.minOffer = min(j.st.size, maxMinOffer); n == 0 {
		j.listed = false
		return nil
	}
	c := &chunk{
		st: &j.st, kind: &j.fn, do: j.do, sink: j.settled, errs: new(faults),
		base: j.base, n: n, args: j.pending.take(n), out: j.fn.Result.Room(n),
	}
	j.base += n
	if j.pending.n < j.minOffer { // tellLocked says when to go on
		j.listed = false
	}
	return c
}

// maxMinOffer bounds how many tasks wait until they are worth a worker more.
const maxMinOffer = 256

// ahead is how many tasks may be between seq and the loop.
func (j *streamJob) ahead() int { return max(2, j.size) * (protocol.Window + 1) * j.p.o.workers }

// feed runs seq.
func (j *streamJob) feed(a unsafe.Pointer) bool {
	j.mu.Lock()
	for !j.over && j.base+j.pending.n-j.yielded >= j.ahead() {
		j.changed.Wait()
	}
	if j.over {
		j.mu.Unlock()
		return false
	}
	j.pending.append(a)
	tell := j.tellLocked()
	j.mu.Unlock()
	if tell {
		j.p.offer(j)
	}
	return true
}

// tellLocked reports whether the pool is to be told that there are tasks, and
// notes that it is. For one worker more there must be enough of them: where the
// workers are faster than the sequence, each would get a task or two at a time
// otherwise, at a cost that exceeds the task's. While others run, what is less
// waits for them, or for a moment, since one of them may take long.
func (j *streamJob) tellLocked() bool {
	if j.listed || j.pending.n == 0 {
		return false
	}
	if j.base > j.arrived && j.pending.n < j.minOffer {
		if !j.waits {
			j.waits = true
			time.AfterFunc(stealDelay, j.late)
		}
		return false
	}
	j.listed = true
	return true
}

// late offers tasks that were too few for a worker more.
func (j *streamJob) late() {
	j.mu.Lock()
	j.waits = false
	tell := !j.listed && j.pending.n > 0
	j.listed = j.listed || tell
	j.mu.Unlock()
	if tell {
		j.p.offer(j)
	}
}

func (j *streamJob) returned() {
	j.mu.Lock()
	j.complete = true
	j.mu.Unlock()
}

// fed is deferred by the goroutine that runs the sequence.
func (j *streamJob) fed() {
	v := recover()
	j.mu.Lock()
	j.whole = true
	switch {
	case v != nil:
		j.failure = failure.Wrap("the stream's sequence", failure.NewPanicError(v))
	case !j.complete:
		j.failure = failure.Wrap("the stream's sequence", ErrGoexit)
	case j.isClosing:
		j.failure = ErrClosed
	}
	j.reportLocked()
	j.mu.Unlock()
	j.changed.Broadcast()
}

// closeInput ends the stream after the tasks that it has, because the pool is to be
// closed. The pool waits for these, and not for the loop.
func (j *streamJob) closeInput() {
	j.mu.Lock()
	j.isClosing, j.over = true, true
	idle := j.arrived == j.base+j.pending.n
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

// settled takes over finished tasks.
func (j *streamJob) settled(c *chunk, from, to int) {
	j.mu.Lock()
	j.ready[c.base+from] = piece{c, from, to}
	if !j.ordered {
		j.order = append(j.order, c.base+from)
	}
	j.arrived += to - from
	j.reportLocked()
	last := j.isClosing && j.arrived == j.base+j.pending.n
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
		total = j.base + j.pending.n
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
	j.over = true
	j.mu.Unlock()
	j.changed.Broadcast()
}

func (j *streamJob) next() (r unsafe.Pointer, err error, more bool) {
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

func (j *streamJob) close() {
	if !j.ended { // the loop was left
		j.end()
		j.p.stop(&j.st, context.Canceled)
	}
	_ = j.progress.end(j.ctx, false) // if it failed, the loop knows or was left
	j.release()
}

// await waits for the piece that is due; ok is false after the last.
func (j *streamJob) await(at int) (c piece, ok bool, err error) {
	var back func() // ends the loan of the slot of the task that loops
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
		switch all := at == j.base+j.pending.n; {
		case all && j.whole:
			return c, false, j.failure
		case all && j.isClosing:
			return c, false, ErrClosed
		case j.p.ctx.Err() != nil:
			return c, false, context.Cause(j.p.ctx)
		}
		if back == nil {
			j.mu.Unlock()
			back = startHelper(j.st.depth)
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
	j.changed.Broadcast()
	return c, true, nil
}
