package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// An initializer is the function that each worker of a pool runs first, and its
// argument.
type initializer struct {
	call call.Function
	arg  unsafe.Pointer
	def  definition
	body []byte // the argument as workers get it
}

// defineInitializer is no method: what the signatures of methods mention can be
// reached from Option, and cells would compile it.
func defineInitializer(in *initializer, h mphost.Host) (err error) {
	if in.def, err = define(h, &in.call); err != nil {
		return err
	}
	err = failure.Isolate(func() (err error) {
		in.body, err = in.call.Arg.Encode(in.arg)
		return err
	})
	if err == nil {
		err = protocol.CheckSize(len(in.body))
	}
	if err != nil {
		return failure.Wrap("argument of the pool's initializer", err)
	}
	return nil
}

func (in *initializer) run(ctx context.Context) error {
	return in.call.Protected(ctx, in.arg, unsafe.Pointer(&call.Nothing))
}
