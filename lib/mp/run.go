package mp

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"sync"
	"time"
	"unsafe"
)

// An invocation is a batch of calls of one function in a child, with encoded
// arguments and results.
type invocation struct {
	fn      *funcval
	target  bool // the function satisfies Target, not Func
	args    reader
	credit  credit
	context func(i int) (context.Context, context.CancelFunc)

	mu    sync.Mutex
	out   writer      // results of the tasks that are done and not yet reported
	errs  []taskError // likewise
	done  int         // how many tasks that is
	since time.Time   // when the first of them began
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

func (*task[R, A, F]) run(v *invocation) {
	if v == nil {
		return // see runnerPC
	}
	in, out, err := codecPair[A, R]()
	fn, s := funcOf[F](v.fn), shapeOf[F](v.target)
	var a, none A // once for all tasks: they escape
	var r R
	for i := 0; v.credit.claim(); i++ {
		if err != nil {
			v.failed(err)
			continue
		}
		a = none
		in.get(&v.args, unsafe.Pointer(&a))
		if v.args.err != nil {
			v.failed(fmt.Errorf("mp: argument of %s: %w", describe(v.fn.pc), v.args.err))
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
		v.mu.Lock()
		mark := len(v.out.b)
		out.put(&v.out, unsafe.Pointer(&r))
		if v.out.err == nil {
			v.done++
			v.mu.Unlock()
			continue
		}
		failure = fmt.Errorf("mp: result of %s: %w", describe(v.fn.pc), v.out.err)
		v.out = writer{b: v.out.b[:mark]}
		v.mu.Unlock()
		v.failed(failure)
	}
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
	v.errs = append(v.errs, taskError{v.done, b})
	v.done++
	v.mu.Unlock()
}

// protect is invoke with panics turned into errors. After a Goexit it does not
// return: a deferred call of its caller must notice.
func protect[R, A, F any](ctx context.Context, fn F, s shape, a A) (r R, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: fmt.Sprint(v), Stack: panicStack(debug.Stack()), PID: os.Getpid()}
		}
	}()
	return invoke[R](ctx, fn, s, a)
}
