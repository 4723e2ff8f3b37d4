package remote

import (
	"fmt"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

const (
	ListLoad byte = iota
	ListStore
	ListDelete
	ListAppend
	ListPop
	ListLen
	ListClear
	ListAll
)

type ListCall[T any] struct {
	Op     byte
	I      int
	Values []T
}

type ListAnswer[T any] struct {
	N      int
	Values []T
}

// ListMethod returns the CalledMethod that applies a ListCall to a served list.
//
//go:noinline
func ListMethod[T any]() CalledMethod {
	return CalledMethod{
		Fn: servedFunc(), Arg: call.ElemOf[ListCall[T]](), Result: call.ElemOf[ListAnswer[T]](), Runner: (*listRunner[T])(nil),
		Do: func(object, a, r unsafe.Pointer) (err error) {
			*(*ListAnswer[T])(r), err = applyList((*[]T)(object), (*ListCall[T])(a))
			return err
		},
	}
}

// A listRunner is the Runner for the operations on a ServedList.
type listRunner[T any] struct{}

func (*listRunner[T]) Ask(c MethodCall) {
	if c != nil {
		c.Call(ListMethod[T]())
	}
}

func applyList[T any](list *[]T, c *ListCall[T]) (a ListAnswer[T], err error) {
	l := *list
	if c.Op <= ListDelete && (c.I < 0 || c.I >= len(l)) {
		return a, fmt.Errorf("mp: index %d is out of range for a served list of %d elements", c.I, len(l))
	}
	switch c.Op {
	case ListLoad:
		a.Values = []T{l[c.I]}
	case ListStore:
		l[c.I] = c.Values[0]
	case ListDelete:
		*list = append(l[:c.I], l[c.I+1:]...)
	case ListAppend:
		a.N = len(l)
		*list = append(l, c.Values...)
	case ListPop:
		if len(l) > 0 {
			a.Values = []T{l[len(l)-1]}
			*list = l[:len(l)-1]
		}
	case ListLen:
		a.N = len(l)
	case ListClear:
		*list = nil
	case ListAll:
		a.Values = append([]T(nil), l...)
	}
	return a, nil
}
