package child

import (
	"context"
	"os"
	"runtime/trace"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// A batchRun runs a batch of calls of one function in a child, with encoded arguments
// and results.
type batchRun struct {
	id      uint64 // of the batch
	fn      *call.Funcval
	target  bool // the function satisfies mp.Target, not mp.Func
	n       int  // tasks in the batch
	args    codec.Reader
	budget  protocol.Budget
	context func(i int) (context.Context, context.CancelFunc)
	dropped func(i int) bool // reports whether task i was canceled before it began
	flush   func()           // reports the finished tasks
	timeout call.Timeout     // time limit of each task

	mu    sync.Mutex
	out   codec.Writer         // results of finished tasks that are not yet reported
	errs  []protocol.TaskError // errors of these tasks
	done  int                  // number of these tasks
	since time.Time            // when the first of these tasks began

	// If inRow, results that are encoded as their memory are stored in an array, after
	// rowHead bytes of row. The budget counts them, so that a short task needs no lock.
	// done then counts the reported tasks, and errs has indexes in the batch.
	inRow bool
	row   []byte
	size  int          // size of a result in bytes
	seen  atomic.Int64 // tasks that have begun, for the race detector, which does not follow the budget
}

const rowHead = protocol.HeaderSize + protocol.ReplyHead

// claim begins the next task and returns its index; ok is false if none is left.
func (v *batchRun) claim() (i int, ok bool) {
	i, ok = v.budget.Claim()
	if raceDetector && ok {
		v.seen.Store(int64(i + 1))
	}
	return i, ok
}

// begun returns how many tasks have begun; all but the last of them have ended.
func (v *batchRun) begun() int {
	if raceDetector {
		return int(v.seen.Load())
	}
	n, _ := v.budget.Begun()
	return n
}

func (v *batchRun) Function() (fn *call.Funcval, target bool) { return v.fn, v.target }

// Caller implements call.Caller: it runs c for each task of the batch.
func (v *batchRun) Caller(c call.Function) {
	in, out, err := call.Codecs(&c)
	if err == nil && in.Fixed && out.Fixed && len(v.args.B) == v.n*int(in.Size) {
		v.makeRow(int(out.Size))
		for v.runRow(&c) {
		}
		return
	}
	a, r := c.Arg.Room(1), c.Result.Room(1)
	for i, ok := v.claim(); ok; i, ok = v.claim() {
		if err != nil {
			v.failed(err)
			continue
		}
		c.Arg.Clear(a)
		err := failure.Catch(func() error {
			in.Decode(&v.args, a)
			return v.args.ValueErr()
		})
		if err != nil {
			v.failed(failure.Wrap("argument of "+program.Describe(v.fn.PC), err))
			continue
		}
		if v.dropped(i) {
			v.failed(context.Canceled)
			continue
		}
		begin := v.timeout.Start() // before the context's time begins
		ctx := context.Background()
		cancel := func() {}
		if c.Shape&call.TakesContext != 0 {
			ctx, cancel = v.context(i)
		}
		span := v.trace(i)
		taskErr := v.timeout.Outcome(begin, c.Protected(ctx, a, r))
		span.end()
		cancel()
		if taskErr != nil {
			v.failed(taskErr)
			continue
		}
		v.keep(out, r)
	}
}

// keep encodes the result of the current task, and reports the finished tasks if there
// is much to report.
func (v *batchRun) keep(out *codec.Codec, result unsafe.Pointer) {
	full := false
	err := failure.Catch(func() (err error) {
		full, err = v.encode(out, result)
		return err
	})
	switch {
	case err != nil:
		v.failed(failure.Wrap("result of "+program.Describe(v.fn.PC), err))
	case full:
		v.flush()
	}
}

// encode appends a result, or nothing if that fails or panics. full reports whether it
// is time to report the results.
func (v *batchRun) encode(out *codec.Codec, result unsafe.Pointer) (full bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	mark, whole := len(v.out.B), false
	defer func() {
		if !whole {
			v.out = codec.Writer{B: v.out.B[:mark]}
		}
	}()
	out.Encode(&v.out, result)
	if err = v.out.ValueErr(out); err == nil {
		err = protocol.CheckSize(len(v.out.B) - mark)
	}
	if err != nil {
		return false, err
	}
	whole = true
	v.done++
	return len(v.out.B) >= protocol.MaxBatchBytes, nil
}

func (v *batchRun) makeRow(size int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := rowHead + v.n*size + protocol.TrailerSize
	v.inRow, v.size, v.row = true, size, slices.Grow(v.row[:0], n)[:n]
}

// runRow runs the tasks of a batch whose arguments and results lie in arrays. It
// returns after a panic, with more true: call it again.
func (v *batchRun) runRow(c *call.Function) (more bool) {
	cancel := func() {}
	var span span
	defer func() {
		if p := recover(); p != nil {
			cancel()
			span.end()
			v.failed(failure.NewPanicError(p))
			more = true
		}
	}()
	args, results := unsafe.Pointer(&call.Nothing), unsafe.Pointer(&call.Nothing)
	if c.Arg.Size > 0 {
		args = unsafe.Pointer(&v.args.B[0])
	}
	if c.Result.Size > 0 {
		results = unsafe.Pointer(&v.row[rowHead])
	}
	ctx := context.Background()
	for i, ok := v.claim(); ok; i, ok = v.claim() {
		if v.dropped(i) {
			v.failed(context.Canceled)
			continue
		}
		begin := v.timeout.Start()
		if c.Shape&call.TakesContext != 0 {
			ctx, cancel = v.context(i)
		}
		span = v.trace(i)
		err := v.timeout.Outcome(begin, c.Do(ctx, c.Arg.At(args, i), c.Result.At(results, i)))
		span.end()
		if c.Shape&call.TakesContext != 0 {
			cancel()
		}
		if err != nil {
			v.failed(err)
		}
	}
	return false
}

// A span is the span of a task in a trace; the zero span means that there is none.
type span struct{ region *trace.Region }

// trace begins the span of task i if this process is traced.
func (v *batchRun) trace(i int) span {
	if !trace.IsEnabled() {
		return span{}
	}
	return span{tracing.Task(program.Name(v.fn.PC), tracing.BatchKey(os.Getpid(), v.id), i)}
}

func (s span) end() {
	if s.region != nil {
		s.region.End()
	}
}

// failed records err as the outcome of the current task.
func (v *batchRun) failed(err error) {
	b := codec.EncodeError(err)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.inRow {
		v.errs = append(v.errs, protocol.TaskError{At: v.begun() - 1, Text: b})
		return
	}
	v.errs = append(v.errs, protocol.TaskError{At: v.done, Text: b})
	v.done++
}
