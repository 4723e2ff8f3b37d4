package mp

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// A ServedList is a slice that lives in one process, and that its children use
// as well, as a ServedMap is for maps.
type ServedList[T any] struct{ ref Ref[[]T] }

// ServeList serves a list that begins with a copy of s, until Close.
func ServeList[T any](s []T) (*ServedList[T], error) {
	list := append([]T(nil), s...)
	in, err := serve(unsafe.Pointer(&list))
	if err != nil {
		return nil, err
	}
	return &ServedList[T]{Ref[[]T]{in}}, nil
}

// Load returns the element at i. An index out of range is an error.
func (s *ServedList[T]) Load(ctx context.Context, i int) (value T, err error) {
	a, err := s.do(ctx, listCall[T]{Op: listLoad, I: i})
	return first(a.Values), err
}

// Store sets the element at i.
func (s *ServedList[T]) Store(ctx context.Context, i int, value T) error {
	_, err := s.do(ctx, listCall[T]{Op: listStore, I: i, Values: []T{value}})
	return err
}

// Append adds elements at the end, without others between them, and returns
// the index of the first.
func (s *ServedList[T]) Append(ctx context.Context, values ...T) (i int, err error) {
	a, err := s.do(ctx, listCall[T]{Op: listAppend, Values: values})
	return a.N, err
}

// Pop removes the last element. ok is false if there is none.
func (s *ServedList[T]) Pop(ctx context.Context) (value T, ok bool, err error) {
	a, err := s.do(ctx, listCall[T]{Op: listPop})
	return first(a.Values), len(a.Values) > 0, err
}

// Delete removes the element at i; later ones move up.
func (s *ServedList[T]) Delete(ctx context.Context, i int) error {
	_, err := s.do(ctx, listCall[T]{Op: listDelete, I: i})
	return err
}

// Len returns the number of elements.
func (s *ServedList[T]) Len(ctx context.Context) (int, error) {
	a, err := s.do(ctx, listCall[T]{Op: listLen})
	return a.N, err
}

// Clear removes all elements.
func (s *ServedList[T]) Clear(ctx context.Context) error {
	_, err := s.do(ctx, listCall[T]{Op: listClear})
	return err
}

// Range calls f for each element of a copy of the list, until f returns false.
func (s *ServedList[T]) Range(ctx context.Context, f func(i int, value T) bool) error {
	a, err := s.do(ctx, listCall[T]{Op: listAll})
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

// Close ends serving, as Ref.Close does.
func (s *ServedList[T]) Close() {
	if s == nil {
		panicNil("ServedList")
	}
	s.ref.Close()
}

const (
	listLoad byte = iota
	listStore
	listDelete
	listAppend
	listPop
	listLen
	listClear
	listAll
)

type listCall[T any] struct {
	Op     byte
	I      int
	Values []T
}

type listAnswer[T any] struct {
	N      int
	Values []T
}

func first[T any](s []T) (v T) {
	if len(s) > 0 {
		v = s[0]
	}
	return v
}

func (s *ServedList[T]) do(ctx context.Context, c listCall[T]) (a listAnswer[T], err error) {
	if s == nil {
		return a, nilError("ServedList")
	}
	if s.ref.in == nil {
		return a, errNotServed
	}
	err = s.ref.in.ask(ctx, listMethod[T](), unsafe.Pointer(&c), unsafe.Pointer(&a))
	return a, err
}

//go:noinline
func listMethod[T any]() calledMethod {
	return calledMethod{
		fn: servedFunc(), arg: call.ElemOf[listCall[T]](), result: call.ElemOf[listAnswer[T]](), runner: (*listRunner[T])(nil),
		do: func(object, a, r unsafe.Pointer) (err error) {
			*(*listAnswer[T])(r), err = applyList((*[]T)(object), (*listCall[T])(a))
			return err
		},
	}
}

// A listRunner is what a mapRunner is, for lists.
type listRunner[T any] struct{}

func (*listRunner[T]) ask(c methodCall) {
	if c != nil {
		c.call(listMethod[T]())
	}
}

func applyList[T any](list *[]T, c *listCall[T]) (a listAnswer[T], err error) {
	l := *list
	if c.Op <= listDelete && (c.I < 0 || c.I >= len(l)) {
		return a, fmt.Errorf("mp: index %d is out of range of a list of %d", c.I, len(l))
	}
	switch c.Op {
	case listLoad:
		a.Values = []T{l[c.I]}
	case listStore:
		l[c.I] = c.Values[0]
	case listDelete:
		*list = append(l[:c.I], l[c.I+1:]...)
	case listAppend:
		a.N = len(l)
		*list = append(l, c.Values...)
	case listPop:
		if len(l) > 0 {
			a.Values = []T{l[len(l)-1]}
			*list = l[:len(l)-1]
		}
	case listLen:
		a.N = len(l)
	case listClear:
		*list = nil
	case listAll:
		a.Values = append([]T(nil), l...)
	}
	return a, nil
}
