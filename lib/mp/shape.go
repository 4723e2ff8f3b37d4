package mp

import (
	"context"
	"reflect"
	"unsafe"
)

// A Target is a function that Start takes: no result but perhaps an error.
type Target[A any] interface {
	~func(A) | ~func(A) error | ~func(context.Context, A) | ~func(context.Context, A) error
}

// A Func is a function with a result, as Go and the pool take it.
type Func[A, R any] interface {
	~func(A) R | ~func(A) (R, error) | ~func(context.Context, A) R | ~func(context.Context, A) (R, error)
}

// None is the argument of a function that needs none.
type None = struct{}

// A shape is which of the eight signatures of Target and Func a function has.
type shape uint8

const (
	takesContext shape = 1 << iota
	givesResult
	givesError
)

// shapeLike classifies the type that pointer points to, which satisfies Target
// (target) or Func.
//
//go:noinline
func shapeLike(pointer any, target bool) shape {
	t := reflect.TypeOf(pointer).Elem()
	var s shape
	if t.NumIn() == 2 {
		s |= takesContext
	}
	if !target {
		s |= givesResult
	}
	if (target && t.NumOut() == 1) || t.NumOut() == 2 {
		s |= givesError
	}
	return s
}

// invoke calls fn, whose signature s tells. F and the type that s stands for
// have the same underlying type, so the reinterpretation is sound.
func invoke[R, A, F any](ctx context.Context, fn F, s shape, a A) (r R, err error) {
	p := unsafe.Pointer(&fn)
	switch s {
	case 0:
		(*(*func(A))(p))(a)
	case givesError:
		err = (*(*func(A) error)(p))(a)
	case takesContext:
		(*(*func(context.Context, A))(p))(ctx, a)
	case takesContext | givesError:
		err = (*(*func(context.Context, A) error)(p))(ctx, a)
	case givesResult:
		r = (*(*func(A) R)(p))(a)
	case givesResult | givesError:
		r, err = (*(*func(A) (R, error))(p))(a)
	case takesContext | givesResult:
		r = (*(*func(context.Context, A) R)(p))(ctx, a)
	case takesContext | givesResult | givesError:
		r, err = (*(*func(context.Context, A) (R, error))(p))(ctx, a)
	}
	return r, err
}
