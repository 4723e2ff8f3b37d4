package call

import (
	"context"
	"reflect"
	"unsafe"
)

// A Shape says which of the eight signatures of mp.Target and mp.Func a function has.
type Shape uint8

const (
	TakesContext Shape = 1 << iota
	GivesResult
	GivesError
)

// ShapeOf returns the Shape of a func type; pointer is a pointer to that type. target says
// whether the type satisfies mp.Target or mp.Func.
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

// invoke calls fn, which has the Shape s. F has the same underlying type as the func
// type of s, so the conversions are safe.
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
