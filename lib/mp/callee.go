package mp

import (
	"context"
	"unsafe"
)

// A callee is a function that is called here or in a child, for code that is
// not generic.
type callee struct {
	fn          *funcval
	target      bool // it satisfies Target, not Func
	shape       shape
	arg, result elem
	runner      runner // makes the same in a child
	// do calls it with the argument at a, and puts the result, if there is no
	// error, at r.
	do func(ctx context.Context, a, r unsafe.Pointer) error
}

//go:noinline
func calleeOf[R, A, F any](fn F, target bool) callee {
	s := shapeLike((*F)(nil), target)
	return callee{
		fn: funcvalOf(fn), target: target, shape: s, arg: elemOf[A](), result: elemOf[R](), runner: (*task[R, A, F])(nil),
		do: func(ctx context.Context, a, r unsafe.Pointer) error {
			v, err := invoke[R](ctx, fn, s, *(*A)(a))
			if err == nil {
				*(*R)(r) = v
			}
			return err
		},
	}
}

// A runner calls functions of one type in a child. Its code tells the child
// the types: see runnerPC.
type runner interface{ run(l loop) }

// A loop is what a runner is for: it calls a function many times.
type loop interface {
	function() (fn *funcval, target bool)
	loop(c callee)
}

// A task is the runner for a function type; it has no data.
type task[R, A, F any] struct{}

func (*task[R, A, F]) run(l loop) {
	if l == nil {
		return // see runnerPC
	}
	fn, target := l.function()
	l.loop(calleeOf[R, A](funcOf[F](fn), target))
}

// protected is do with panics turned into errors. After a Goexit it does not
// return: a deferred call of its caller must notice.
func (c *callee) protected(ctx context.Context, a, r unsafe.Pointer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return c.do(ctx, a, r)
}

// here makes what a parcel does in this process, with a job's context and the
// pool's limit of a task.
func (c *callee) here(ctx context.Context, d taskTimeout) func(i int, a, r unsafe.Pointer) error {
	return func(_ int, a, r unsafe.Pointer) error { return c.limited(ctx, d, a, r) }
}

// codecsOf are those of the argument and the result.
func codecsOf(c *callee) (in, out *codec, err error) {
	if in, err = codecLike(c.arg.like); err == nil {
		out, err = codecLike(c.result.like)
	}
	return in, out, err
}

// reach makes the calls that only generic code makes: the linker drops methods
// that no call in a program can reach, and a notebook's worker gets cells with
// such calls later. It is called with nothing.
//
//go:noinline
func reach(q queue, s streaming, r reference, l loop, m methodCall) {
	ctx := context.Background()
	if q != nil {
		_ = q.put(ctx, nil, false)
		_, _ = q.get(ctx, nil, false)
		_, _ = q.handle()
		_ = q.join(ctx)
		_ = q.done()
		_ = q.length()
		q.close()
	}
	if s != nil {
		s.feed(nil)
		s.returned()
		s.fed()
		_, _, _ = s.next()
		s.close()
	}
	if r != nil {
		_ = r.ask(ctx, calledMethod{}, nil, nil)
		_, _ = r.encode()
		r.close()
	}
	if l != nil {
		l.function()
		l.loop(callee{})
	}
	if m != nil {
		m.function()
		m.call(calledMethod{})
	}
}

// A funcval is what a func value points to: the address of its code, and for
// a closure the captured variables after it.
type funcval struct{ pc uintptr }

// funcvalOf returns what fn, which must be of a func type, points to.
func funcvalOf[F any](fn F) *funcval {
	return *(**funcval)(unsafe.Pointer(&fn))
}

// funcOf is the inverse of funcvalOf, for a funcval of the type F.
func funcOf[F any](v *funcval) F {
	return *(*F)(unsafe.Pointer(&v))
}

func addressOf(v *funcval) uintptr { return uintptr(unsafe.Pointer(v)) }

// runnerPC returns the code of r's run method, by way of the interface table
// {interface, type, hash, methods}. The wrapper found there is specific to
// r's exact type even where that is generic, and takes no hidden dictionary:
// one code address carries a function's argument and result types to a child.
//
// The linker drops methods that no interface call can reach, so there is one
// here, with nothing to do; inlined, it would become a direct call.
//
//go:noinline
func runnerPC(r runner) uintptr {
	r.run(nil)
	table := *(**[4]uintptr)(unsafe.Pointer(&r))
	return table[3]
}

// runnerAt makes the method that runnerPC found callable; the receiver is unused.
func runnerAt(pc uintptr) func(unsafe.Pointer, loop) {
	return funcOf[func(unsafe.Pointer, loop)](&funcval{pc})
}
