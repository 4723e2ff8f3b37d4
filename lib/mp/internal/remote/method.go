package remote

import (
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A CalledMethod describes, for code that is not generic, a function that is called on a
// served object.
type CalledMethod struct {
	Fn          *call.Funcval
	Arg, Result call.Elem
	Runner      Runner
	Do          func(object, a, r unsafe.Pointer) error
}

// MethodOf returns the CalledMethod of fn, a function of the form mp.Method[S, A, R].
//
//go:noinline
func MethodOf[S, A, R, F any](fn F) CalledMethod {
	s := call.ShapeOf((*F)(nil), false)
	return CalledMethod{
		Fn: call.FuncvalOf(fn), Arg: call.ElemOf[A](), Result: call.ElemOf[R](), Runner: (*method[S, A, R, F])(nil),
		Do: func(object, a, r unsafe.Pointer) error {
			v, err := invokeMethod[R](fn, s, (*S)(object), *(*A)(a))
			if err == nil {
				*(*R)(r) = v
			}
			return err
		},
	}
}

func invokeMethod[R, S, A, F any](fn F, s call.Shape, object *S, a A) (r R, err error) {
	p := unsafe.Pointer(&fn)
	if s&call.GivesError != 0 {
		return (*(*func(*S, A) (R, error))(p))(object, a)
	}
	return (*(*func(*S, A) R)(p))(object, a), nil
}

// protected is Do, but turns a panic into an error.
func (m *CalledMethod) protected(object, a, r unsafe.Pointer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = failure.NewPanicError(v)
		}
	}()
	return m.Do(object, a, r)
}

// A Runner calls methods of one type in the process that serves the object: see call.RunnerPC.
type Runner interface{ Ask(call MethodCall) }

// A MethodCall is the argument of a Runner, which knows the types of the function to call. The
// Runner gets the function's address from the method Function, and passes the function, with
// its types, to the method Call.
type MethodCall interface {
	Function() *call.Funcval
	Call(m CalledMethod)
}

type method[S, A, R, F any] struct{}

func (*method[S, A, R, F]) Ask(c MethodCall) {
	if c == nil {
		return // see methodRunnerPC
	}
	c.Call(MethodOf[S, A, R](call.FuncOf[F](c.Function())))
}

// methodRunnerPC is call.RunnerPC for a Runner.
//
//go:noinline
func methodRunnerPC(r Runner) uintptr {
	r.Ask(nil)
	table := *(**[4]uintptr)(unsafe.Pointer(&r))
	return table[3]
}
