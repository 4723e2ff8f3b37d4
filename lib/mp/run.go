package mp

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
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

// A runner calls functions of one type.
type runner interface{ run(*invocation) }

// A task is the runner for a function type; it has no data.
type task[R, A, F any] struct{}

func (t *task[R, A, F]) run(v *invocation) {
	if v == nil {
		return // see runnerPC
	}
	in, out, err := codecPair[A, R]()
	fn, s := funcOf[F](v.fn), shapeOf[F](v.target)
	if err == nil && in.fixed && out.fixed && len(v.args.b) == v.n*int(in.size) {
		v.makeRow(int(out.size))
		for t.runRow(v, fn, s) {
		}
		return
	}
	var a, none A // once for all tasks: they escape
	var r R
	for i, ok := v.claim(); ok; i, ok = v.claim() {
		if err != nil {
			v.failed(err)
			continue
		}
		a = none
		in.get(&v.args, unsafe.Pointer(&a))
		if err := v.args.outcome(); err != nil {
			v.failed(within("argument of "+describe(v.fn.pc), err))
			continue
		}
		if v.dropped(i) {
			v.failed(context.Canceled)
			continue
		}
		ctx := context.Background()
		cancel := func() {}
		if s&takesContext != 0 {
			ctx, cancel = v.context(i)
		}
		var failure error
		r, failure = protect[R](ctx, fn, s, a)
		cancel()
		if failure != nil {
			v.failed(failure)
			continue
		}
		v.keep(out, unsafe.Pointer(&r))
	}
}

// keep encodes the result of the current task.
func (v *invocation) keep(out *codec, result unsafe.Pointer) {
	v.mu.Lock()
	mark := len(v.out.b)
	out.put(&v.out, result)
	if v.out.err == nil {
		v.done++
		v.mu.Unlock()
		return
	}
	failure := within("result of "+describe(v.fn.pc), v.out.failure(out))
	v.out = writer{b: v.out.b[:mark]}
	v.mu.Unlock()
	v.failed(failure)
}

func (v *invocation) makeRow(size int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := rowHead + v.n*size
	v.inRow, v.size, v.row = true, size, slices.Grow(v.row[:0], n)[:n]
}

// runRow runs tasks whose arguments and results lie in rows, and reports
// whether there may be more: it returns after a panic.
func (*task[R, A, F]) runRow(v *invocation, fn F, s shape) (more bool) {
	cancel := func() {}
	defer func() {
		if p := recover(); p != nil {
			cancel()
			v.failed(newPanicError(p))
			more = true
		}
	}()
	args, row := unsafe.Pointer(unsafe.SliceData(v.args.b)), unsafe.Pointer(unsafe.SliceData(v.row))
	ctx := context.Background()
	for i, ok := v.claim(); ok; i, ok = v.claim() {
		var a A
		if size := unsafe.Sizeof(a); size > 0 {
			a = *(*A)(unsafe.Add(args, uintptr(i)*size))
		}
		if v.dropped(i) {
			v.failed(context.Canceled)
			continue
		}
		if s&takesContext != 0 {
			ctx, cancel = v.context(i)
		}
		r, err := invoke[R](ctx, fn, s, a)
		if s&takesContext != 0 {
			cancel()
		}
		if err != nil {
			v.failed(err)
		} else if size := unsafe.Sizeof(r); size > 0 {
			*(*R)(unsafe.Add(row, rowHead+uintptr(i)*size)) = r
		}
	}
	return false
}

func codecPair[A, R any]() (in, out *codec, err error) {
	if in, err = codecOf(reflect.TypeFor[A]()); err == nil {
		out, err = codecOf(reflect.TypeFor[R]())
	}
	return in, out, err
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

// protect is invoke with panics turned into errors. After a Goexit it does not
// return: a deferred call of its caller must notice.
func protect[R, A, F any](ctx context.Context, fn F, s shape, a A) (r R, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return invoke[R](ctx, fn, s, a)
}

// newPanicError makes the error of a panic; a deferred function calls it.
func newPanicError(v any) error {
	return &PanicError{Value: fmt.Sprint(v), Stack: panicStack(debug.Stack()), PID: os.Getpid()}
}
