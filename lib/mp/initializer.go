package mp

import (
	"context"
	"fmt"
	"unsafe"
)

// An initializer is the function that each worker of a pool runs first, and its
// argument.
type initializer struct {
	call callee
	arg  unsafe.Pointer
	def  definition
}

// defineInitializer is no method: what the signatures of methods mention can be
// reached from Option, and cells would compile it.
func defineInitializer(in *initializer, h Host) (err error) {
	if in.call.fn == nil {
		return fmt.Errorf("mp: the pool's initializer is nil")
	}
	in.def, err = define(h, &in.call)
	return err
}

func (in *initializer) encode() ([]byte, error) { return in.call.arg.encode(in.arg) }

func (in *initializer) run(ctx context.Context) error {
	return in.call.protected(ctx, in.arg, unsafe.Pointer(&nothing))
}
