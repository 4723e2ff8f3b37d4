package call

import (
	"context"
	"reflect"
	"unsafe"
)

// A Shape is which of the eight signatures of Target and Func a function has.
type Shape uint8

const (
	TakesContext Shape = 1 << iota
	GivesResult
	GivesError
)

// ShapeOf classifies the type that pointer points to, which satisfies Target
// (target) or Func.
//
//go:noinline
func ShapeOf(pointer any, target bool) Shape {
	t := reflect.TypeOf(pointer).Elem()
	var s Shape
	if t.NumIn() == 2 {
		s |= TakesContext
	}
	if !target {
		s |= GivesResult
	}
	if (target && t.NumOut() == 1) || t.NumOut() == 2 {
		s |= GivesError
	}
	return s
}

// invoke calls fn, whose signature s tells. F and the type that s stands for
// have the same underlying type, so the reinterpretation is sound.
func invoke[R, A, F any](ctx context.Context, fn F, s Shape, a A) (r R, err error) {
	p := unsafe.Pointer(&fn)
	switch s {
	case 0:
		(*(*func(A))(p))(a)
	case GivesError:
		err = (*(*func(A) error)(p))(a)
	case TakesContext:
		(*(*func(context.Context, A))(p))(ctx, a)
	case TakesContext | GivesError:
		err = (*(*func(context.Context, A) error)(p))(ctx, a)
	case GivesResult:
		r = (*(*func(A) R)(p))(a)
	case GivesResult | GivesError:
		r, err = (*(*func(A) (R, error))(p))(a)
	case TakesContext | GivesResult:
		r = (*(*func(context.Context, A) R)(p))(ctx, a)
	case TakesContext | GivesResult | GivesError:
		r, err = (*(*func(context.Context, A) (R, error))(p))(ctx, a)
	}
	return r, err
}
