package mphost

import (
	"context"
	"runtime/trace"
	"sync/atomic"
)

// canceller is the Host of this process if it may cancel waits of goroutines; nil in an
// ordinary program.
var canceller atomic.Pointer[Host]

// setCanceller stores h in canceller, unless h is the Host of an ordinary program.
func setCanceller(h Host) {
	if _, ok := h.(programHost); ok || h == nil {
		canceller.Store(nil)
		return
	}
	canceller.Store(&h)
}

// IsPlain reports whether a wait needs nothing but the wait itself: the Host does not cancel waits of goroutines, and no
// trace is recorded. It is not inlined: otherwise the compiler would also compile the types of Host for generic code that
// calls IsPlain.
//
//go:noinline
func IsPlain() bool { return canceller.Load() == nil && !trace.IsEnabled() }

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
