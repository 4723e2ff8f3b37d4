package child

import (
	"context"
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
)

// An batchRun is a batch of calls of one function in a child, with encoded
// arguments and results.
type batchRun struct {
	fn      *call.Funcval
	target  bool // the function satisfies Target, not Func
	n       int  // tasks in the batch
	args    codec.Reader
	budget  protocol.Budget
	context func(i int) (context.Context, context.CancelFunc)
	dropped func(i int) bool // task i was cancelled before it began
	flush   func()           // reports what is done
	timeout call.Timeout     // of each task

	mu    sync.Mutex
	out   codec.Writer         // results of the tasks that are done and not yet reported
	errs  []protocol.TaskError // likewise
	done  int                  // how many tasks that is
	since time.Time            // when the first of them began

	// Results that are their own encoding lie in a row, after rowHead bytes,
	// and the budget tells how many there are, so that a short task costs no
	// lock. done is how many tasks were reported then, and places are those in
	// the batch.
	inRow bool
	row   []byte
	size  int          // of a result
	seen  atomic.Int64 // what the race detector cannot see in the budget
}

const rowHead = protocol.HeaderSize + protocol.ReplyHead

// claim begins the next task.
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

// Caller calls the function for each task.
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
		taskErr := v.timeout.Outcome(begin, c.Protected(ctx, a, r))
		cancel()
		if taskErr != nil {
			v.failed(taskErr)
			continue
		}
		v.keep(out, r)
	}
}

// keep encodes the result of the current task.
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

// encode appends a result, or nothing if that fails in whatever way. full tells
// that the results should be reported.
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

// runRow runs tasks whose arguments and results lie in rows, and reports
// whether there may be more: it returns after a panic.
func (v *batchRun) runRow(c *call.Function) (more bool) {
	cancel := func() {}
	defer func() {
		if p := recover(); p != nil {
			cancel()
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
		err := v.timeout.Outcome(begin, c.Do(ctx, c.Arg.At(args, i), c.Result.At(results, i)))
		if c.Shape&call.TakesContext != 0 {
			cancel()
		}
		if err != nil {
			v.failed(err)
		}
	}
	return false
}

// failed records the error of the current task.
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
