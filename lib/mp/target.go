package mp

import "context"

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
