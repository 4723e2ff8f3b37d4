package mphost

import (
	"context"
	"sync/atomic"
)

// canceller is the Host that may cancel what goroutines wait for; nil if there is
// none, as in an ordinary program.
var canceller atomic.Pointer[Host]

// setCanceller is called when this process gets its Host.
func setCanceller(h Host) {
	if _, ok := h.(programHost); ok || h == nil {
		canceller.Store(nil)
		return
	}
	canceller.Store(&h)
}

// MayCancel reports whether the Host may cancel what goroutines wait for.
func MayCancel() bool { return canceller.Load() != nil }

// WithCancel returns ctx, or a context derived from it that ends also when the
// Host cancels what the calling goroutine does. The caller must call release.
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
