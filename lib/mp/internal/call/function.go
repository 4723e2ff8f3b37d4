// Package call calls functions of users from code that is not generic.
package call

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A Function describes a user's function for code that is not generic. That code calls the
// function in this process or sends it to a child.
type Function struct {
	Fn          *Funcval
	Target      bool // whether the function's type satisfies mp.Target, and not mp.Func
	Named       bool // whether Fn was made from the name of its code, so that it captures nothing
	Shape       Shape
	Arg, Result Elem
	Runner      runner // makes the same Function in a child
	// Do calls the function with the argument at a. If there is no error, it stores the
	// result at r.
	Do func(ctx context.Context, a, r unsafe.Pointer) error
}

// Of returns the Function of fn, with the argument type A and the result type R. target says
// whether F satisfies mp.Target or mp.Func.
//
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

// A runner calls functions of one type in a child. The address of its method tells the
// child the types: see RunnerPC.
type runner interface{ Run(l Caller) }

// A Caller is the argument of a runner, which knows the types of the function that the Caller
// wants to call. The runner gets the function's address from the method Function, and passes
// the function, with its types, to the method Caller.
type Caller interface {
	Function() (fn *Funcval, target bool)
	Caller(c Function)
}

// A typedRunner is the runner for a function type; it has no data.
type typedRunner[R, A, F any] struct{}

func (*typedRunner[R, A, F]) Run(l Caller) {
	if l == nil {
		return // see RunnerPC
	}
	fn, target := l.Function()
	l.Caller(Of[R, A](FuncOf[F](fn), target))
}

// Protected is like Do, but turns a panic into an error. If the function calls
// runtime.Goexit, Protected does not return: a deferred call in its caller must handle that.
func (c *Function) Protected(ctx context.Context, a, r unsafe.Pointer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = failure.NewPanicError(v)
		}
	}()
	return c.Do(ctx, a, r)
}

// Bind returns a function that calls c in this process for one task, with the context
// ctx and the time limit d. The result does not recover panics: its caller must do that.
func (c *Function) Bind(ctx context.Context, d Timeout) func(i int, a, r unsafe.Pointer) error {
	if d > 0 {
		return func(_ int, a, r unsafe.Pointer) error { return c.limited(ctx, d, a, r) }
	}
	return func(_ int, a, r unsafe.Pointer) error { return c.Do(ctx, a, r) }
}

// Codecs returns the codecs of the function's argument and result.
func Codecs(c *Function) (in, out *codec.Codec, err error) {
	if in, err = codec.OfPointee(c.Arg.Pointer); err == nil {
		out, err = codec.OfPointee(c.Result.Pointer)
	}
	return in, out, err
}

// A Funcval is the memory that a func value points to: the address of its code and, for
// a closure, the captured variables after it.
type Funcval struct{ PC uintptr }

// FuncvalOf returns the Funcval that fn, which must be of a func type, points to.
func FuncvalOf[F any](fn F) *Funcval {
	return *(**Funcval)(unsafe.Pointer(&fn))
}

// FuncOf returns the func value of type F that points to v.
func FuncOf[F any](v *Funcval) F {
	return *(*F)(unsafe.Pointer(&v))
}

func AddressOf(v *Funcval) uintptr { return uintptr(unsafe.Pointer(v)) }

// RunnerPC returns the address of the code of r's Run method. It reads the address from the
// interface table {interface, type, hash, methods}. That code is specific to r's exact
// type even if the type is generic, and takes no hidden dictionary. So one code address
// tells a child the argument and result types of a function.
//
// The linker drops methods that no interface call can reach, so RunnerPC makes an interface
// call, which does nothing. If RunnerPC were inlined, that would become a direct call.
//
//go:noinline
func RunnerPC(r runner) uintptr {
	r.Run(nil)
	table := *(**[4]uintptr)(unsafe.Pointer(&r))
	return table[3]
}

// RunnerAt returns the Run method at the address pc as a function. The first parameter is the
// receiver, which the method does not use.
func RunnerAt(pc uintptr) func(unsafe.Pointer, Caller) {
	return FuncOf[func(unsafe.Pointer, Caller)](&Funcval{pc})
}
