package pool

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// An Initializer is the function that each worker of a pool runs first, and its
// argument.
type Initializer struct {
	Call call.Function
	Arg  unsafe.Pointer
	def  process.Definition
	body []byte // the argument as workers get it
}

// defineInitializer is no method: what the signatures of methods mention can be
// reached from Option, and cells would compile it.
func defineInitializer(in *Initializer, h mphost.Host) (err error) {
	if in.def, err = process.Define(h, &in.Call); err != nil {
		return err
	}
	err = failure.Isolate(func() (err error) {
		in.body, err = in.Call.Arg.Encode(in.Arg)
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

func (in *Initializer) run(ctx context.Context) error {
	return in.Call.Protected(ctx, in.Arg, unsafe.Pointer(&call.Nothing))
}
