package mphost

import (
	"context"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// canceller is the Host of this process if it may cancel waits of goroutines; nil in an
// ordinary program.
var canceller atomic.Pointer[Host]

// setCanceller stores h in canceller, unless h is the Host of an ordinary program.
func setCanceller(h Host) {
	if _, ok := h.(programHost); ok || h == nil {
		canceller.Store(nil)
		tracing.SetCanceled(false)
		return
	}
	canceller.Store(&h)
	tracing.SetCanceled(true)
}

// IsPlain reports whether a wait needs nothing but the wait itself: the Host does not cancel waits of goroutines, and
// mp.Trace does not record this process. It is not inlined, so that generic code compiles less.
//
//go:noinline
func IsPlain() bool { return tracing.IsPlain() }

// WithCancel returns a context that ends when ctx ends, or when the Host cancels the
// work of the calling goroutine. The caller must call release.
func WithCancel(ctx context.Context) (derived context.Context, release func()) {
	h := canceller.Load()
	if h == nil {
		return ctx, func() {}
	}
	outer := (*h).Context()
	if outer == nil || outer.Done() == nil {
		return ctx, func() {}
	}
	derived, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(outer, func() { cancel(context.Cause(outer)) })
	return derived, func() {
		stop()
		cancel(nil)
	}
}
