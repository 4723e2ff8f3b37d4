package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/remote"
)

// A ServedList is a slice that lives in one process and that its children use too. It
// corresponds to a ServedMap: its methods may be called from any goroutine and process,
// and their error matches ErrClosed if the list was closed or its process is gone.
type ServedList[T any] struct{ ref Ref[[]T] }

// ServeList serves a copy of s until Close.
func ServeList[T any](s []T) (*ServedList[T], error) {
	list := append([]T(nil), s...)
	in, err := remote.Serve(unsafe.Pointer(&list))
	if err != nil {
		return nil, err
	}
	return &ServedList[T]{Ref[[]T]{in}}, nil
}

// Load returns the element at i. An index out of range is an error.
func (s *ServedList[T]) Load(ctx context.Context, i int) (value T, err error) {
	a, err := s.do(ctx, remote.ListCall[T]{Op: remote.ListLoad, I: i})
	return first(a.Values), err
}

// Store sets the element at i.
func (s *ServedList[T]) Store(ctx context.Context, i int, value T) error {
	_, err := s.do(ctx, remote.ListCall[T]{Op: remote.ListStore, I: i, Values: []T{value}})
	return err
}

// Append adds elements at the end, next to each other, and returns the index of the
// first.
func (s *ServedList[T]) Append(ctx context.Context, values ...T) (i int, err error) {
	a, err := s.do(ctx, remote.ListCall[T]{Op: remote.ListAppend, Values: values})
	return a.N, err
}

// Pop removes the last element. ok is false if there is none.
func (s *ServedList[T]) Pop(ctx context.Context) (value T, ok bool, err error) {
	a, err := s.do(ctx, remote.ListCall[T]{Op: remote.ListPop})
	return first(a.Values), len(a.Values) > 0, err
}

// Delete removes the element at i and moves later elements down by one.
func (s *ServedList[T]) Delete(ctx context.Context, i int) error {
	_, err := s.do(ctx, remote.ListCall[T]{Op: remote.ListDelete, I: i})
	return err
}

// Len returns the number of elements.
func (s *ServedList[T]) Len(ctx context.Context) (int, error) {
	a, err := s.do(ctx, remote.ListCall[T]{Op: remote.ListLen})
	return a.N, err
}

// Clear removes all elements.
func (s *ServedList[T]) Clear(ctx context.Context) error {
	_, err := s.do(ctx, remote.ListCall[T]{Op: remote.ListClear})
	return err
}

// Range calls f for each element of a copy of the list, until f returns false.
func (s *ServedList[T]) Range(ctx context.Context, f func(i int, value T) bool) error {
	a, err := s.do(ctx, remote.ListCall[T]{Op: remote.ListAll})
	if err != nil {
		return err
	}
	for i, v := range a.Values {
		if !f(i, v) {
			break
		}
	}
	return nil
}

// Close stops serving, as Ref.Close does.
func (s *ServedList[T]) Close() {
	if s == nil {
		panicNil("ServedList")
	}
	s.ref.Close()
}

func (s *ServedList[T]) do(ctx context.Context, c remote.ListCall[T]) (a remote.ListAnswer[T], err error) {
	if s == nil {
		return a, nilError("ServedList")
	}
	if s.ref.in == nil {
		return a, remote.ErrNotServed
	}
	err = s.ref.in.Ask(ctx, remote.ListMethod[T](), unsafe.Pointer(&c), unsafe.Pointer(&a))
	return a, err
}

func first[T any](s []T) (v T) {
	if len(s) > 0 {
		v = s[0]
	}
	return v
}
