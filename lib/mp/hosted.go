package mp

import "context"

// hosted is ctx that ends also when the host cancels what the calling
// goroutine does. The function releases what it took.
func hosted(ctx context.Context) (context.Context, func()) {
	if _, ok := ctx.(steady); ok {
		return ctx, func() {}
	}
	h, err := currentHost()
	if err != nil {
		return ctx, func() {}
	}
	outer := h.Context()
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

// steady is a context for steps that must be completed: the host does not
// cancel them.
type steady struct{ context.Context }
