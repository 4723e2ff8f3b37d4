package pool

import (
	"context"
	"sync"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// A function is a user's function as a pool sends or names it.
type function struct {
	def process.Definition // used only if workers are processes
	pc  uintptr
}

// A jobState is the scheduler's state of a job: of one Map, one Stream, or the
// submitted tasks of one function. Guarded by Pool.mu.
type jobState struct {
	fn       *function
	depth    int           // nesting: how many tasks wait for the job's tasks, directly or through other tasks
	perTask  time.Duration // smoothed duration of a task; 0 before the first
	size     int           // size of the next batch in tasks
	stopped  error         // why no more of the job's tasks begin; nil if they may
	encoding int           // batches whose arguments are being encoded
	isStream bool          // arguments come one by one
}

// A job is a source of tasks.
type job interface {
	state() *jobState
	// take returns at most max tasks, or nil if there are none now. left returns how
	// many remain, or -1 if that is not known. Pool.mu is held for both.
	take(max int) *chunk
	left() int
	// isListed reports whether the job stays in the pool's list after take; else it is
	// offered again when it has tasks.
	isListed() bool
}

// A chunk is a sequence of tasks of one job, with their arguments and memory for the
// results. A chunk does not change when it is divided into parts.
type chunk struct {
	st        *jobState
	kind      *call.Function                         // has the types of the function
	do        func(i int, a, r unsafe.Pointer) error // runs a task in this process; i is its index in the job
	sink      func(c *chunk, from, to int)           // called when the outcomes of a range are known
	base      int                                    // index of the first task in the job
	n         int
	args, out unsafe.Pointer
	errs      *faults
	tries     int
	origin    func(i int) unsafe.Pointer // identifies task i of the job in traces, if tasks are added one by one
	dropped   func(i int) bool           // reports whether task i of the job is no longer waited for; may be nil
	key       func(i int) string         // the key of task i of the job; may be nil
}

// faults has the errors of a chunk's tasks, by index in the job. Most chunks have none.
type faults struct {
	mu sync.Mutex
	m  map[int]error
}

func (f *faults) set(i int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.m == nil {
		f.m = make(map[int]error)
	}
	f.m[i] = err
}

func (f *faults) get(i int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.m[i]
}

func (f *faults) none() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.m) == 0
}

func (c *chunk) state() *jobState { return c.st }
func (c *chunk) size() int        { return c.n }

func (c *chunk) arg(i int) unsafe.Pointer    { return c.kind.Arg.At(c.args, i) }
func (c *chunk) result(i int) unsafe.Pointer { return c.kind.Result.At(c.out, i) }

func (c *chunk) part(from, to int) *chunk {
	p := *c
	p.base, p.n = c.base+from, to-from
	if p.n > 0 { // else the address may be after the end of the array
		p.args, p.out = c.arg(from), c.result(from)
	}
	return &p
}

// retry returns a chunk of the same tasks, with the number of tries incremented.
func (c *chunk) retry() *chunk {
	p := *c
	p.tries++
	return &p
}

// keys returns the keys of the first n tasks, or nil if they have none, or if their function
// has no context to find them in.
func (c *chunk) keys(n int) []string {
	if c.key == nil || c.kind.Shape&call.TakesContext == 0 || c.key(c.base) == "" {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = c.key(c.base + i)
	}
	return list
}

// abandoned returns the indexes of the tasks, among the first n, that are not awaited any
// more.
func (c *chunk) abandoned(n int) (places []int) {
	for i := 0; c.dropped != nil && i < n; i++ {
		if c.dropped(c.base + i) {
			places = append(places, i)
		}
	}
	return places
}

// encode appends arguments until w has limit bytes, and returns their number. If the
// first argument cannot be encoded, it returns 0 and the error.
func (c *chunk) encode(w *codec.Writer, limit int) (int, error) {
	in, results, err := call.Codecs(c.kind)
	if err != nil {
		return 0, err
	}
	most := c.n
	if results.Fixed && results.Size > 0 {
		most = min(most, max(1, maxReplyBytes/int(results.Size)))
	}
	if in.Fixed && in.Size > 0 {
		n := min(most, max(1, limit/int(in.Size)))
		in.EncodeAll(w, c.args, n)
		return n, nil
	}
	for i := range most {
		mark := len(w.B)
		in.Encode(w, c.arg(i))
		err := w.ValueErr(in)
		if err == nil {
			err = protocol.CheckSize(len(w.B) - mark)
		}
		if err != nil {
			err = failure.Wrap("argument of "+program.Describe(c.st.fn.pc), err)
			*w = codec.Writer{B: w.B[:mark]}
			if i > 0 {
				err = nil // it will be the first of the next batch
			}
			return i, err
		}
		if len(w.B) >= limit {
			return i + 1, nil
		}
	}
	return most, nil
}

// plainArgs reports whether encoding the arguments does not call users' code.
func (c *chunk) plainArgs() bool {
	in, err := codec.OfPointee(c.kind.Arg.Pointer)
	return err != nil || in.Fixed
}

// deliver stores the outcomes of r.Done tasks, from task from on, and settles them.
func (c *chunk) deliver(from int, r *protocol.Reply) error {
	out, err := codec.OfPointee(c.kind.Result.Pointer)
	if err != nil {
		return err
	}
	if out.Fixed && len(r.Errs) == 0 && uintptr(len(r.Values.B)) == uintptr(r.Done)*out.Size {
		if r.Done > 0 {
			out.DecodeAll(&r.Values, c.result(from), r.Done)
		}
	} else {
		c.deliverEach(out, from, r)
	}
	c.settle(from, from+r.Done)
	return nil
}

func (c *chunk) deliverEach(out *codec.Codec, from int, r *protocol.Reply) {
	errs := r.Errs
	for i := range r.Done {
		if len(errs) > 0 && errs[0].At == i {
			c.errs.set(c.base+from+i, codec.DecodeError(errs[0].Text))
			errs = errs[1:]
			continue
		}
		place := c.result(from + i)
		out.Decode(&r.Values, place)
		if err := out.ReceiveError(r.Values.ValueErr()); err != nil {
			c.kind.Result.Clear(place)
			c.errs.set(c.base+from+i, err)
		}
	}
	if r.Values.Err == nil && len(r.Values.B) > 0 {
		c.errs.set(c.base+from, out.ReceiveError(failure.ErrMalformed))
	}
}

func (c *chunk) fail(from, to int, err error) {
	for i := from; i < to; i++ {
		c.errs.set(c.base+i, err)
	}
	c.settle(from, to)
}

func (c *chunk) settle(from, to int) {
	if from < to {
		c.sink(c, from, to)
	}
}

func (c *chunk) call(i int) {
	if c.dropped != nil && c.dropped(c.base+i) {
		c.errs.set(c.base+i, context.Canceled)
		return
	}
	if err := c.do(c.base+i, c.arg(i), c.result(i)); err != nil {
		c.errs.set(c.base+i, err)
	}
}

// traceBegin logs that a worker of this process has received the tasks.
func (c *chunk) traceBegin() {
	if c.origin != nil {
		return // callTraced logs it for each task
	}
	first := 0
	if c.st.isStream {
		first = c.base
	}
	tracing.ReceiveLocal(tracing.KindLocalBatch, unsafe.Pointer(c.st), first)
}

// callTraced is call with a span in the trace.
func (c *chunk) callTraced(i int) {
	if c.origin != nil {
		tracing.ReceiveLocal(tracing.KindLocalBatch, c.origin(c.base+i), 0)
	}
	defer tracing.Task(program.Name(c.st.fn.pc), 0, c.base+i).End()
	c.call(i)
}

// setError records the error of task i, which is not settled yet.
func (c *chunk) setError(i int, err error) { c.errs.set(c.base+i, err) }

// err returns the error of task i, which is settled.
func (c *chunk) err(i int) error { return c.errs.get(c.base + i) }
