package mp

import (
	"context"
	"iter"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/queue"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Queue carries values from any number of goroutines or processes to any number of
// others, first in, first out. When Put has returned, the value is in the queue: the
// process that put it may end, and can be joined before its values are taken. The zero
// Queue works for goroutines and has no size limit.
type Queue[T any] struct {
	state [5]unsafe.Pointer // holds a queue.State; a field of that type would make each cell compile more
}

// These declarations compile only if both types have the same size.
var (
	_ [unsafe.Sizeof(queue.State{}) - unsafe.Sizeof(Queue[int]{})]struct{}
	_ [unsafe.Sizeof(Queue[int]{}) - unsafe.Sizeof(queue.State{})]struct{}
)

// NewQueue makes a Queue for at most size values; Put waits while the queue is full.
// With size 0 there is no limit for goroutines; for processes the limit is 4 GiB of
// encoded values. A value in a queue for processes may have at most 2 GiB.
func NewQueue[T any](b Backend, size int) (*Queue[T], error) {
	s, err := newQueueState((*T)(nil), call.ElemOf[T](), b, size, false)
	return (*Queue[T])(unsafe.Pointer(s)), err
}

// newQueueState allocates a Queue as a queue.State, which has no type parameter, so that its
// code is not generic.
//
//go:noinline
func newQueueState(pointer any, e call.Elem, b Backend, size int, counted bool) (*queue.State, error) {
	shared, err := isShared(b)
	if err != nil {
		return nil, err
	}
	return queue.NewState(pointer, e, shared, size, counted)
}

// untypedOf returns the queue of q, or nil if q is nil. It is a function because a function of a generic type is
// compiled once for each type argument, and a method twice.
func untypedOf[T any](q *Queue[T]) queue.Untyped {
	s := (*queue.State)(unsafe.Pointer(q))
	if u := s.Untyped(); u != nil || s == nil {
		return u
	}
	return queue.MakeLocal(&s.Ring, call.ElemOf[T]())
}

// Put adds v at the end. It waits while the queue is full. It returns the error of ctx if
// ctx ends first, ErrClosed if the queue is closed, ErrPeerDied if the queue is full and
// no other process is left to take values, or the error of encoding v.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if q == nil {
		return nilError("Queue")
	}
	s := (*queue.State)(unsafe.Pointer(q))
	if p := atomic.LoadPointer(&s.Ring); p != nil {
		return queue.LocalPut(p, ctx, call.Hide(unsafe.Pointer(&v)), true)
	}
	if w := s.Words; w != nil && ctx.Done() == nil && mphost.IsPlain() {
		return w.Send(*(*uint64)(unsafe.Pointer(&v)))
	}
	if s.Plain != nil {
		return s.Queue.Put(ctx, call.Hide(unsafe.Pointer(&v)), true)
	}
	return put(q, ctx, v, true)
}

// TryPut is Put without waiting: its error is ErrFull if Put would wait.
func (q *Queue[T]) TryPut(v T) error {
	if q == nil {
		return nilError("Queue")
	}
	if p := atomic.LoadPointer(&(*queue.State)(unsafe.Pointer(q)).Ring); p != nil {
		return queue.LocalPut(p, context.Background(), call.Hide(unsafe.Pointer(&v)), false)
	}
	return put(q, context.Background(), v, false)
}

// put is Put and TryPut for a queue that has no ring, or does not have it yet. Methods that are so short that the compiler
// inlines them would not be in the image, whose cells call the methods; see the kernel's package image/thin.
//
//go:noinline
func put[T any](q *Queue[T], ctx context.Context, v T, wait bool) error {
	s := (*queue.State)(unsafe.Pointer(q))
	if s.Plain != nil {
		return s.Queue.Put(ctx, call.Hide(unsafe.Pointer(&v)), wait)
	}
	kept := v
	return untypedOf(q).Put(ctx, unsafe.Pointer(&kept), wait)
}

// Get takes the first value, and waits for one if the queue is empty. It returns the
// error of ctx if ctx ends first, ErrClosed if the queue is empty and closed, ErrPeerDied
// if the queue is empty and no other process is left to put values, or the error of
// decoding the value.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if q == nil {
		return v, nilError("Queue")
	}
	s := (*queue.State)(unsafe.Pointer(q))
	if p := atomic.LoadPointer(&s.Ring); p != nil {
		_, err = queue.LocalGet(p, ctx, call.Hide(unsafe.Pointer(&v)), true)
		return v, err
	}
	if w := s.Words; w != nil && ctx.Done() == nil && mphost.IsPlain() {
		x, ok := <-w.C
		if !ok {
			return v, ErrClosed
		}
		if x.Tag != 0 {
			w.Received(x.Tag)
		}
		return *(*T)(unsafe.Pointer(&x.X)), nil
	}
	if s.Plain != nil {
		_, err = s.Queue.Get(ctx, call.Hide(unsafe.Pointer(&v)), true)
		return v, err
	}
	v, _, err = get(q, ctx, true)
	return v, err
}

// TryGet is Get without waiting; ok reports whether there was a value.
func (q *Queue[T]) TryGet() (v T, ok bool, err error) {
	if q == nil {
		return v, false, nilError("Queue")
	}
	if p := atomic.LoadPointer(&(*queue.State)(unsafe.Pointer(q)).Ring); p != nil {
		ok, err = queue.LocalGet(p, context.Background(), call.Hide(unsafe.Pointer(&v)), false)
		return v, ok, err
	}
	return get(q, context.Background(), false)
}

// get is Get and TryGet for a queue that has no ring, or does not have it yet; see put.
//
//go:noinline
func get[T any](q *Queue[T], ctx context.Context, wait bool) (v T, ok bool, err error) {
	s := (*queue.State)(unsafe.Pointer(q))
	if s.Plain != nil {
		ok, err = s.Queue.Get(ctx, call.Hide(unsafe.Pointer(&v)), wait)
		return v, ok, err
	}
	var kept T
	ok, err = untypedOf(q).Get(ctx, unsafe.Pointer(&kept), wait)
	return kept, ok, err
}

// GetInto is Get into *v. It avoids allocations for large values: a slice of numbers
// reuses the memory of *v if that is large enough.
func (q *Queue[T]) GetInto(ctx context.Context, v *T) error {
	return queue.GetInto(untypedOf(q), ctx, unsafe.Pointer(v))
}

// Len returns the number of values in the queue.
func (q *Queue[T]) Len() int { return queue.NotNil(untypedOf(q)).Length() }

// Close closes the queue in every process: no more values can be put; those in the
// queue can still be taken.
func (q *Queue[T]) Close() { queue.NotNil(untypedOf(q)).Close() }

// All takes values and yields them until the queue is closed and empty. It yields the other
// errors of Get, with a zero value, and goes on. It ends after it has yielded the error of
// ctx.
func (q *Queue[T]) All(ctx context.Context) iter.Seq2[T, error] {
	queue.NotNil(untypedOf(q))
	return func(yield func(T, error) bool) {
		ctx, release := mphost.WithCancel(ctx)
		defer release()
		for {
			v, err := q.Get(ctx)
			if queue.IsLast(err) || !yield(v, err) || context.Cause(ctx) != nil {
				return
			}
		}
	}
}

// String returns a text with the number of values in the queue.
func (q *Queue[T]) String() string { return queue.Describe(untypedOf(q)) }

// GobEncode lets a Queue be part of a value that is sent to a process, as a reference.
func (q *Queue[T]) GobEncode() ([]byte, error) { return queue.Handle(untypedOf(q)) }

// GobDecode is the inverse of GobEncode.
//
//go:noinline
func (q *Queue[T]) GobDecode(b []byte) error {
	return (*queue.State)(unsafe.Pointer(q)).Open((*T)(nil), b)
}

// A JoinableQueue is a Queue that counts the values that were put and not yet reported
// done with TaskDone.
type JoinableQueue[T any] struct{ Queue[T] }

// NewJoinableQueue makes a JoinableQueue with the limits of NewQueue.
func NewJoinableQueue[T any](b Backend, size int) (*JoinableQueue[T], error) {
	s, err := newQueueState((*T)(nil), call.ElemOf[T](), b, size, true)
	return (*JoinableQueue[T])(unsafe.Pointer(s)), err
}

// base returns the Queue of q, or nil if q is nil. A promoted method would panic for a
// nil q; the methods below return or panic with an error that names the cause.
func (q *JoinableQueue[T]) base() *Queue[T] {
	if q == nil {
		return nil
	}
	return &q.Queue
}

// Put is Queue.Put.
func (q *JoinableQueue[T]) Put(ctx context.Context, v T) error { return q.base().Put(ctx, v) }

// TryPut is Queue.TryPut.
func (q *JoinableQueue[T]) TryPut(v T) error { return q.base().TryPut(v) }

// Get is Queue.Get.
func (q *JoinableQueue[T]) Get(ctx context.Context) (T, error) { return q.base().Get(ctx) }

// TryGet is Queue.TryGet.
func (q *JoinableQueue[T]) TryGet() (v T, ok bool, err error) { return q.base().TryGet() }

// GetInto is Queue.GetInto.
//
//go:noinline
func (q *JoinableQueue[T]) GetInto(ctx context.Context, v *T) error { return q.base().GetInto(ctx, v) }

// Len is Queue.Len.
//
//go:noinline
func (q *JoinableQueue[T]) Len() int { return q.base().Len() }

// Close is Queue.Close.
//
//go:noinline
func (q *JoinableQueue[T]) Close() { q.base().Close() }

// All is Queue.All.
//
//go:noinline
func (q *JoinableQueue[T]) All(ctx context.Context) iter.Seq2[T, error] { return q.base().All(ctx) }

// String is Queue.String.
//
//go:noinline
func (q *JoinableQueue[T]) String() string { return q.base().String() }

// GobEncode lets a JoinableQueue be part of a value that is sent to a process, as a reference.
func (q *JoinableQueue[T]) GobEncode() ([]byte, error) { return q.base().GobEncode() }

// GobDecode is the inverse of GobEncode.
func (q *JoinableQueue[T]) GobDecode(b []byte) error { return q.base().GobDecode(b) }

// TaskDone reports that the work on a value that was taken is done. It returns an error
// if it is called more often than values were put.
func (q *JoinableQueue[T]) TaskDone() error {
	if q == nil {
		return nilError("JoinableQueue")
	}
	return untypedOf(&q.Queue).Done()
}

// Join waits until TaskDone was called for every value that was put. If a process died
// with values that it had taken, the error matches ErrPeerDied.
func (q *JoinableQueue[T]) Join(ctx context.Context) error {
	if q == nil {
		return nilError("JoinableQueue")
	}
	return untypedOf(&q.Queue).Join(ctx)
}
