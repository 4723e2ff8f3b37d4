package mp

import (
	"context"
	"fmt"
)

// An initializer is the function that each worker of a pool runs first.
type initializer struct {
	def    definition
	define func(Host) error
	encode func() ([]byte, error)
	run    func(context.Context) error
}

func newInitializer[A any, F Target[A]](fn F, arg A) *initializer {
	in := new(initializer)
	in.define = func(h Host) (err error) {
		fv := funcvalOf(fn)
		if fv == nil {
			return fmt.Errorf("mp: the pool's initializer is nil")
		}
		in.def, err = define(h, fv, runnerPC(new(task[struct{}, A, F])), shapeOf[F](true), true)
		return err
	}
	in.encode = func() ([]byte, error) { return encode(&arg) }
	in.run = func(ctx context.Context) error {
		_, err := protect[struct{}](ctx, fn, shapeOf[F](true), arg)
		return err
	}
	return in
}
