package pool

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// An Initializer is the function that each worker of a pool runs first, with its
// argument.
type Initializer struct {
	Call call.Function
	Arg  unsafe.Pointer
	def  process.Definition
	body []byte // the encoded argument
}

// defineInitializer prepares the Initializer for worker processes. It is not a method:
// a notebook cell compiles all types in the signatures of methods that it can reach
// from Option.
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

// Broken returns why the pool runs no more tasks, or nil if it runs tasks or was closed.
func (p *Pool) Broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == shm.ErrClosed {
		return nil
	}
	return p.broken
}

func (in *Initializer) run(ctx context.Context) error {
	return in.Call.Protected(ctx, in.Arg, unsafe.Pointer(&call.Nothing))
}
