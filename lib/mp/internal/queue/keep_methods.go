package queue

import "context"

// keepMethods contains calls of methods that only generic code calls. The linker drops
// methods that no call in the program can reach, but the worker process of a notebook may
// later load cells that call them. Its argument is nil.
//
//go:noinline
func keepMethods(q Untyped) {
	if q == nil {
		return
	}
	ctx := context.Background()
	_ = q.Put(ctx, nil, false)
	_, _ = q.Get(ctx, nil, false)
	_, _ = q.Handle()
	_ = q.Join(ctx)
	_ = q.Done()
	_ = q.Length()
	q.Close()
}

func init() { keepMethods(nil) }
