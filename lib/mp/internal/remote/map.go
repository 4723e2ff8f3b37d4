package remote

import (
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

const (
	MapLoad byte = iota
	MapStore
	MapLoadOrStore
	MapDelete
	MapSwap
	MapCompareAndSwap
	MapLen
	MapClear
	MapAll
)

type MapCall[K comparable, V any] struct {
	Op         byte
	Key        K
	Value, Old V
}

type MapAnswer[K comparable, V any] struct {
	Value V
	OK    bool
	N     int
	All   map[K]V
}

// MapMethod returns the CalledMethod that applies a MapCall to a served map.
//
//go:noinline
func MapMethod[K comparable, V any]() CalledMethod {
	return CalledMethod{
		Fn: servedFunc(), Arg: call.ElemOf[MapCall[K, V]](), Result: call.ElemOf[MapAnswer[K, V]](), Runner: (*mapRunner[K, V])(nil),
		Do: func(object, a, r unsafe.Pointer) error {
			*(*MapAnswer[K, V])(r) = applyMap(*(*map[K]V)(object), (*MapCall[K, V])(a))
			return nil
		},
	}
}

// A mapRunner is the Runner for the operations on a ServedMap: the address of its
// method tells the types.
type mapRunner[K comparable, V any] struct{}

func (*mapRunner[K, V]) Ask(c MethodCall) {
	if c != nil {
		c.Call(MapMethod[K, V]())
	}
}

// servedFunc returns a function that is never called: the runners of lists and maps need none.
func servedFunc() *call.Funcval { return call.FuncvalOf(noFunc) }

func noFunc() {}

func applyMap[K comparable, V any](m map[K]V, c *MapCall[K, V]) (a MapAnswer[K, V]) {
	switch c.Op {
	case MapLen:
		a.N = len(m)
		return a
	case MapClear:
		clear(m)
		return a
	case MapAll:
		a.All = make(map[K]V, len(m))
		for k, v := range m {
			a.All[k] = v
		}
		return a
	}
	a.Value, a.OK = m[c.Key]
	switch c.Op {
	case MapStore, MapSwap:
		m[c.Key] = c.Value
	case MapLoadOrStore:
		if !a.OK {
			m[c.Key], a.Value = c.Value, c.Value
		}
	case MapDelete:
		delete(m, c.Key)
	case MapCompareAndSwap:
		if a.OK = a.OK && any(a.Value) == any(c.Old); a.OK {
			m[c.Key] = c.Value
		}
	}
	return a
}
