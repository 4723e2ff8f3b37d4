// Package call calls functions of users by their signatures, for code that is not generic.
package call

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A Function is a function that is called here or in a child, for code that is
// not generic.
type Function struct {
	Fn          *Funcval
	Target      bool // it satisfies Target, not Func
	Shape       Shape
	Arg, Result Elem
	Runner      runner // makes the same in a child
	// Do calls it with the argument at a, and puts the result, if there is no
	// error, at r.
	Do func(ctx context.Context, a, r unsafe.Pointer) error
}

//go:noinline
func Of[R, A, F any](fn F, target bool) Function {
	s := ShapeOf((*F)(nil), target)
	return Function{
		Fn: FuncvalOf(fn), Target: target, Shape: s, Arg: ElemOf[A](), Result: ElemOf[R](), Runner: (*typedRunner[R, A, F])(nil),
		Do: func(ctx context.Context, a, r unsafe.Pointer) error {
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
type runner interface{ Run(l Caller) }

// A Caller is what a runner is for: it calls a function many times.
type Caller interface {
	Function() (fn *Funcval, target bool)
	Caller(c Function)
}

// A typedRunner is the runner for a function type; it has no data.
type typedRunner[R, A, F any] struct{}

func (*typedRunner[R, A, F]) Run(l Caller) {
	if l == nil {
		return // see runnerPC
	}
	fn, target := l.Function()
	l.Caller(Of[R, A](FuncOf[F](fn), target))
}

// Protected is do with panics turned into errors. After a Goexit it does not
// return: a deferred call of its caller must notice.
func (c *Function) Protected(ctx context.Context, a, r unsafe.Pointer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = failure.NewPanicError(v)
		}
	}()
	return c.Do(ctx, a, r)
}

// Bind makes what a chunk does in this process, with a job's context and the
// pool's limit of a task.
func (c *Function) Bind(ctx context.Context, d Timeout) func(i int, a, r unsafe.Pointer) error {
	return func(_ int, a, r unsafe.Pointer) error { return c.limited(ctx, d, a, r) }
}

// Codecs are those of the argument and the result.
func Codecs(c *Function) (in, out *codec.Codec, err error) {
	if in, err = codec.OfPointee(c.Arg.Pointer); err == nil {
		out, err = codec.OfPointee(c.Result.Pointer)
	}
	return in, out, err
}

// A Funcval is what a func value points to: the address of its code, and for
// a closure the captured variables after it.
type Funcval struct{ PC uintptr }

// FuncvalOf returns what fn, which must be of a func type, points to.
func FuncvalOf[F any](fn F) *Funcval {
	return *(**Funcval)(unsafe.Pointer(&fn))
}

// FuncOf is the inverse of funcvalOf, for a funcval of the type F.
func FuncOf[F any](v *Funcval) F {
	return *(*F)(unsafe.Pointer(&v))
}

func AddressOf(v *Funcval) uintptr { return uintptr(unsafe.Pointer(v)) }

// RunnerPC returns the code of r's run method, by way of the interface table
// {interface, type, hash, methods}. The wrapper found there is specific to
// r's exact type even where that is generic, and takes no hidden dictionary:
// one code address carries a function's argument and result types to a child.
//
// The linker drops methods that no interface call can reach, so there is one
// here, with nothing to do; inlined, it would become a direct call.
//
//go:noinline
func RunnerPC(r runner) uintptr {
	r.Run(nil)
	table := *(**[4]uintptr)(unsafe.Pointer(&r))
	return table[3]
}

// RunnerAt makes the method that runnerPC found callable; the receiver is unused.
func RunnerAt(pc uintptr) func(unsafe.Pointer, Caller) {
	return FuncOf[func(unsafe.Pointer, Caller)](&Funcval{pc})
}
