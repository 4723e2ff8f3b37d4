package mp

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/program"
)

// An invocation is a batch of calls of one function in a child, with encoded
// arguments and results.
type invocation struct {
	fn      *funcval
	target  bool // the function satisfies Target, not Func
	n       int  // tasks in the batch
	args    reader
	credit  credit
	context func(i int) (context.Context, context.CancelFunc)
	dropped func(i int) bool // task i was cancelled before it began
	flush   func()           // reports what is done
	timeout taskTimeout      // of each task

	mu    sync.Mutex
	out   writer      // results of the tasks that are done and not yet reported
	errs  []taskError // likewise
	done  int         // how many tasks that is
	since time.Time   // when the first of them began

	// Results that are their own encoding lie in a row, after rowHead bytes,
	// and the credit tells how many there are, so that a short task costs no
	// lock. done is how many tasks were reported then, and places are those in
	// the batch.
	inRow bool
	row   []byte
	size  int          // of a result
	seen  atomic.Int64 // what the race detector cannot see in the credit
}

const rowHead = headerSize + replyHead

// claim begins the next task.
func (v *invocation) claim() (i int, ok bool) {
	i, ok = v.credit.claim()
	if raceDetector && ok {
		v.seen.Store(int64(i + 1))
	}
	return i, ok
}

// begun returns how many tasks have begun; all but the last of them have ended.
func (v *invocation) begun() int {
	if raceDetector {
		return int(v.seen.Load())
	}
	n, _ := v.credit.begun()
	return n
}

// A taskError is the encoded error of one task, by its place among the tasks
// that are reported together.
type taskError struct {
	at   int
	text []byte
}

func (v *invocation) function() (fn *funcval, target bool) { return v.fn, v.target }

// loop calls the function for each task.
func (v *invocation) loop(c callee) {
	in, out, err := codecsOf(&c)
	if err == nil && in.fixed && out.fixed && len(v.args.b) == v.n*int(in.size) {
		v.makeRow(int(out.size))
		for v.runRow(&c) {
		}
		return
	}
	a, r := c.arg.room(1), c.result.room(1)
	for i, ok := v.claim(); ok; i, ok = v.claim() {
		if err != nil {
			v.failed(err)
			continue
		}
		c.arg.clear(a)
		err := recovered(func() error {
			in.get(&v.args, a)
			return v.args.outcome()
		})
		if err != nil {
			v.failed(within("argument of "+program.Describe(v.fn.pc), err))
			continue
		}
		if v.dropped(i) {
			v.failed(context.Canceled)
			continue
		}
		begin := v.timeout.start() // before the context's time begins
		ctx := context.Background()
		cancel := func() {}
		if c.shape&takesContext != 0 {
			ctx, cancel = v.context(i)
		}
		failure := v.timeout.outcome(begin, c.protected(ctx, a, r))
		cancel()
		if failure != nil {
			v.failed(failure)
			continue
		}
		v.keep(out, r)
	}
}

// keep encodes the result of the current task.
func (v *invocation) keep(out *codec, result unsafe.Pointer) {
	full := false
	err := recovered(func() (err error) {
		full, err = v.encode(out, result)
		return err
	})
	switch {
	case err != nil:
		v.failed(within("result of "+program.Describe(v.fn.pc), err))
	case full:
		v.flush()
	}
}

// encode appends a result, or nothing if that fails in whatever way. full tells
// that the results should be reported.
func (v *invocation) encode(out *codec, result unsafe.Pointer) (full bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	mark, whole := len(v.out.b), false
	defer func() {
		if !whole {
			v.out = writer{b: v.out.b[:mark]}
		}
	}()
	out.put(&v.out, result)
	if err = v.out.failure(out); err == nil {
		err = checkSize(len(v.out.b) - mark)
	}
	if err != nil {
		return false, err
	}
	whole = true
	v.done++
	return len(v.out.b) >= maxBatchBytes, nil
}

func (v *invocation) makeRow(size int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := rowHead + v.n*size + trailerSize
	v.inRow, v.size, v.row = true, size, slices.Grow(v.row[:0], n)[:n]
}

// runRow runs tasks whose arguments and results lie in rows, and reports
// whether there may be more: it returns after a panic.
func (v *invocation) runRow(c *callee) (more bool) {
	cancel := func() {}
	defer func() {
		if p := recover(); p != nil {
			cancel()
			v.failed(newPanicError(p))
			more = true
		}
	}()
	args, results := unsafe.Pointer(&nothing), unsafe.Pointer(&nothing)
	if c.arg.size > 0 {
		args = unsafe.Pointer(&v.args.b[0])
	}
	if c.result.size > 0 {
		results = unsafe.Pointer(&v.row[rowHead])
	}
	ctx := context.Background()
	for i, ok := v.claim(); ok; i, ok = v.claim() {
		if v.dropped(i) {
			v.failed(context.Canceled)
			continue
		}
		begin := v.timeout.start()
		if c.shape&takesContext != 0 {
			ctx, cancel = v.context(i)
		}
		err := v.timeout.outcome(begin, c.do(ctx, c.arg.at(args, i), c.result.at(results, i)))
		if c.shape&takesContext != 0 {
			cancel()
		}
		if err != nil {
			v.failed(err)
		}
	}
	return false
}

// failed records the error of the current task.
func (v *invocation) failed(err error) {
	b := encodeError(err)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.inRow {
		v.errs = append(v.errs, taskError{v.begun() - 1, b})
		return
	}
	v.errs = append(v.errs, taskError{v.done, b})
	v.done++
}

// newPanicError makes the error of a panic; a deferred function calls it.
func newPanicError(v any) error {
	return &PanicError{Value: v, Text: fmt.Sprint(v), Stack: panicStack(debug.Stack()), PID: os.Getpid()}
}
