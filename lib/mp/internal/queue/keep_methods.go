package queue

import "context"

// keepMethods makes the calls that only generic code makes: the linker drops methods
// that no call in a program can reach, and a notebook's worker gets cells with
// such calls later. It is called with nothing.
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
