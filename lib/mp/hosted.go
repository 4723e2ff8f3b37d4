package mp

import (
	"context"
	"sync/atomic"
)

// interrupts is the Host that may cancel what goroutines wait for; nil if there is
// none, as in an ordinary program.
var interrupts atomic.Pointer[Host]

// setInterrupts is called when this process gets its Host.
func setInterrupts(h Host) {
	if _, ok := h.(program); ok || h == nil {
		interrupts.Store(nil)
		return
	}
	interrupts.Store(&h)
}

// hosted is ctx that ends also when the host cancels what the calling
// goroutine does. The function releases what it took.
func hosted(ctx context.Context) (context.Context, func()) {
	h := interrupts.Load()
	if h == nil {
		return ctx, func() {}
	}
	outer := (*h).Context()
	if outer == nil || outer.Done() == nil {
		return ctx, func() {}
	}
	inner, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(outer, func() { cancel(context.Cause(outer)) })
	return inner, func() {
		stop()
		cancel(nil)
	}
}
