package mp

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// Stream applies fn to what seq yields, on the pool's workers, and yields the
// results in the order of seq. A task's error is yielded in its place and the
// stream goes on; after an error of ctx or of the pool itself it ends. Breaking
// out of the loop cancels what runs.
//
// seq runs in a goroutine of its own, ahead of the results by as much as keeps
// the workers busy, and no more: it may be endless.
func Stream[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, seq iter.Seq[A]) iter.Seq2[R, error] {
	return stream[R](ctx, p, fn, seq, true)
}

// StreamUnordered is Stream with each result as soon as it is there.
func StreamUnordered[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, seq iter.Seq[A]) iter.Seq2[R, error] {
	return stream[R](ctx, p, fn, seq, false)
}

func stream[R, A, F any](ctx context.Context, p *Pool, fn F, seq iter.Seq[A], ordered bool) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var zero R
		ctx, release := hosted(ctx)
		defer release()
		in := p.get()
		f, err := prepareCall[R, A](in, fn, false)
		if err == nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			err = in.begin()
		}
		if err != nil {
			yield(zero, err)
			return
		}
		defer in.finished(1)
		inner, cancel := in.jobContext(ctx)
		defer cancel()
		j := &streamJob[A, R]{
			st: jobState{fn: f}, p: in, run: inPlace(localCall[R, A](inner, fn, false)),
			ordered: ordered, ready: make(map[int]piece[A, R]),
		}
		j.changed = sync.NewCond(&j.mu)
		stop := context.AfterFunc(ctx, j.wakeAll)
		defer stop()
		go j.feed(seq)
		err = j.drain(ctx, yield)
		j.end()
		if err == errBreak {
			in.stop(&j.st, context.Canceled)
		} else if err != nil {
			in.stop(&j.st, err)
			yield(zero, err)
		}
	}
}

// A streamJob is one running Stream.
type streamJob[A, R any] struct {
	st      jobState
	p       *pool
	run     func(int, A) (R, error)
	ordered bool

	mu      sync.Mutex
	changed *sync.Cond
	pending []A  // not taken yet
	base    int  // place of pending[0]
	listed  bool // the pool will ask for tasks
	whole   bool // seq has ended
	over    bool // nobody wants more
	next    int  // tasks whose results were yielded, or are about to be
	size    int  // of a batch, as the pool last asked for one
	ready   map[int]piece[A, R]
	order   []int // keys of ready as they came
}

// A piece is a settled range of a chunk.
type piece[A, R any] struct {
	c        *chunk[A, R]
	from, to int
}

func (j *streamJob[A, R]) state() *jobState { return &j.st }

// left: a stream's batches need not shrink towards an end.
func (j *streamJob[A, R]) left() int { return -1 }

func (j *streamJob[A, R]) take(max int) parcel {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.size = max
	n := min(max, len(j.pending))
	if n == 0 {
		j.listed = false
		return nil
	}
	c := &chunk[A, R]{
		st: &j.st, run: j.run, sink: j.settled, errs: new(faults),
		base: j.base, args: j.pending[:n:n], out: make([]R, n),
	}
	j.pending = j.pending[n:]
	j.base += n
	return c
}

// ahead is how many tasks may be between seq and the loop.
func (j *streamJob[A, R]) ahead() int { return max(2, j.size) * (window + 1) * j.p.o.workers }

// feed runs seq.
func (j *streamJob[A, R]) feed(seq iter.Seq[A]) {
	defer func() {
		j.mu.Lock()
		j.whole = true
		j.mu.Unlock()
		j.changed.Broadcast()
	}()
	for a := range seq {
		j.mu.Lock()
		for !j.over && j.base+len(j.pending)-j.next >= j.ahead() {
			j.changed.Wait()
		}
		if j.over {
			j.mu.Unlock()
			return
		}
		j.pending = append(j.pending, a)
		tell := !j.listed
		j.listed = true
		j.mu.Unlock()
		if tell {
			j.p.offer(j)
		}
	}
}

// settled takes over finished tasks.
func (j *streamJob[A, R]) settled(c *chunk[A, R], from, to int) {
	j.mu.Lock()
	j.ready[c.base+from] = piece[A, R]{c, from, to}
	if !j.ordered {
		j.order = append(j.order, c.base+from)
	}
	j.mu.Unlock()
	j.changed.Broadcast()
}

func (j *streamJob[A, R]) wakeAll() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.changed.Broadcast()
}

func (j *streamJob[A, R]) end() {
	j.mu.Lock()
	j.over = true
	j.mu.Unlock()
	j.changed.Broadcast()
}

// errBreak tells that the loop was left.
var errBreak = errors.New("mp: the loop over a stream was left")

// drain yields results until there are no more.
func (j *streamJob[A, R]) drain(ctx context.Context, yield func(R, error) bool) error {
	for at := 0; ; {
		c, ok, err := j.await(ctx, at)
		if err != nil || !ok {
			return err
		}
		at += c.to - c.from
		bad := !c.c.errs.none()
		for i := c.from; i < c.to; i++ {
			var failure error
			if bad {
				if failure = c.c.err(i); failure != nil {
					failure = itemError(c.c.base+i, failure)
				}
			}
			if !yield(c.c.out[i], failure) {
				return errBreak
			}
		}
	}
}

// await waits for the piece that is due; ok is false after the last.
func (j *streamJob[A, R]) await(ctx context.Context, at int) (c piece[A, R], ok bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		if err := context.Cause(ctx); err != nil {
			return c, false, err
		}
		key := at
		if !j.ordered && len(j.order) > 0 {
			key = j.order[0]
		}
		if c, ok = j.ready[key]; ok {
			break
		}
		if j.whole && at == j.base+len(j.pending) {
			return c, false, nil
		}
		j.changed.Wait()
	}
	if !j.ordered {
		j.order = j.order[1:]
	}
	delete(j.ready, c.c.base+c.from)
	j.next += c.to - c.from
	j.changed.Broadcast()
	return c, true, nil
}
