package mp

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
)

// An invocation is one call of a function in a child, with encoded ends.
type invocation struct {
	ctx    context.Context
	fn     *funcval
	target bool // the function satisfies Target, not Func
	arg    []byte
	result []byte
	err    error
}

// A runner calls functions of one type with encoded arguments.
type runner interface{ run(*invocation) }

// A task is the runner for a function type; it has no data.
type task[R, A, F any] struct{}

func (*task[R, A, F]) run(c *invocation) {
	if c == nil {
		return // see runnerPC
	}
	var a A
	if c.err = decode(c.arg, &a); c.err != nil {
		return
	}
	r, err := protect[R](c.ctx, funcOf[F](c.fn), shapeOf[F](c.target), a)
	if c.err = err; err != nil {
		return
	}
	c.result, c.err = encode(&r)
	if c.err != nil {
		c.err = fmt.Errorf("mp: result of %s: %w", describe(c.fn.pc), c.err)
	}
}

// protect is invoke with panics and Goexit turned into errors. After a Goexit
// it cannot return: the deferred call in its caller's goroutine must look.
func protect[R, A, F any](ctx context.Context, fn F, s shape, a A) (r R, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: fmt.Sprint(v), Stack: string(debug.Stack()), PID: os.Getpid()}
		}
	}()
	return invoke[R](ctx, fn, s, a)
}
