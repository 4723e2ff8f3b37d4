package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// A ServedMap is a map that lives in one process, and that its children use as
// well: what one stores the others load. It is sent within the argument of a
// function. Its methods are those of a sync.Map, each with a context and an
// error; they may be called from any goroutine and process. The error matches
// ErrClosed where the map was closed, or its process is gone.
//
// Each call from a child is a message to the process that serves and one back.
// What a child stores and loads are copies.
type ServedMap[K comparable, V any] struct{ ref Ref[map[K]V] }

// ServeMap serves m until Close. The map must not be used directly meanwhile.
// A nil m is an empty map.
func ServeMap[K comparable, V any](m map[K]V) (*ServedMap[K, V], error) {
	if m == nil {
		m = make(map[K]V)
	}
	in, err := serve(unsafe.Pointer(&m))
	if err != nil {
		return nil, err
	}
	return &ServedMap[K, V]{Ref[map[K]V]{in}}, nil
}

// Load returns the value of a key, and whether there is one.
func (s *ServedMap[K, V]) Load(ctx context.Context, key K) (value V, ok bool, err error) {
	a, err := s.do(ctx, mapCall[K, V]{Op: mapLoad, Key: key})
	return a.Value, a.OK, err
}

// Store sets the value of a key.
func (s *ServedMap[K, V]) Store(ctx context.Context, key K, value V) error {
	_, err := s.do(ctx, mapCall[K, V]{Op: mapStore, Key: key, Value: value})
	return err
}

// LoadOrStore returns the value of a key if there is one, and loaded is true.
// Else it stores and returns the given value.
func (s *ServedMap[K, V]) LoadOrStore(ctx context.Context, key K, value V) (actual V, loaded bool, err error) {
	a, err := s.do(ctx, mapCall[K, V]{Op: mapLoadOrStore, Key: key, Value: value})
	return a.Value, a.OK, err
}

// LoadAndDelete removes a key, and returns the value that it had, if any.
func (s *ServedMap[K, V]) LoadAndDelete(ctx context.Context, key K) (value V, loaded bool, err error) {
	a, err := s.do(ctx, mapCall[K, V]{Op: mapDelete, Key: key})
	return a.Value, a.OK, err
}

// Delete removes a key.
func (s *ServedMap[K, V]) Delete(ctx context.Context, key K) error {
	_, _, err := s.LoadAndDelete(ctx, key)
	return err
}

// Swap sets the value of a key, and returns the one before, if any.
func (s *ServedMap[K, V]) Swap(ctx context.Context, key K, value V) (previous V, loaded bool, err error) {
	a, err := s.do(ctx, mapCall[K, V]{Op: mapSwap, Key: key, Value: value})
	return a.Value, a.OK, err
}

// CompareAndSwap sets the value of a key if it equals old, which must be of a
// type that can be compared.
func (s *ServedMap[K, V]) CompareAndSwap(ctx context.Context, key K, old, new V) (swapped bool, err error) {
	a, err := s.do(ctx, mapCall[K, V]{Op: mapCompareAndSwap, Key: key, Old: old, Value: new})
	return a.OK, err
}

// Len returns the number of keys.
func (s *ServedMap[K, V]) Len(ctx context.Context) (int, error) {
	a, err := s.do(ctx, mapCall[K, V]{Op: mapLen})
	return a.N, err
}

// Clear removes all keys.
func (s *ServedMap[K, V]) Clear(ctx context.Context) error {
	_, err := s.do(ctx, mapCall[K, V]{Op: mapClear})
	return err
}

// Range calls f for each key and value of a copy of the map, until f returns false.
func (s *ServedMap[K, V]) Range(ctx context.Context, f func(key K, value V) bool) error {
	a, err := s.do(ctx, mapCall[K, V]{Op: mapAll})
	if err != nil {
		return err
	}
	for k, v := range a.All {
		if !f(k, v) {
			break
		}
	}
	return nil
}

// Close ends serving, as Ref.Close does.
func (s *ServedMap[K, V]) Close() {
	if s == nil {
		panicNil("ServedMap")
	}
	s.ref.Close()
}

const (
	mapLoad byte = iota
	mapStore
	mapLoadOrStore
	mapDelete
	mapSwap
	mapCompareAndSwap
	mapLen
	mapClear
	mapAll
)

type mapCall[K comparable, V any] struct {
	Op         byte
	Key        K
	Value, Old V
}

type mapAnswer[K comparable, V any] struct {
	Value V
	OK    bool
	N     int
	All   map[K]V
}

func (s *ServedMap[K, V]) do(ctx context.Context, c mapCall[K, V]) (a mapAnswer[K, V], err error) {
	if s == nil {
		return a, nilError("ServedMap")
	}
	if s.ref.in == nil {
		return a, errNotServed
	}
	err = s.ref.in.ask(ctx, mapMethod[K, V](), unsafe.Pointer(&c), unsafe.Pointer(&a))
	return a, err
}

//go:noinline
func mapMethod[K comparable, V any]() calledMethod {
	return calledMethod{
		fn: servedFunc(), arg: call.ElemOf[mapCall[K, V]](), result: call.ElemOf[mapAnswer[K, V]](), runner: (*mapRunner[K, V])(nil),
		do: func(object, a, r unsafe.Pointer) error {
			*(*mapAnswer[K, V])(r) = applyMap(*(*map[K]V)(object), (*mapCall[K, V])(a))
			return nil
		},
	}
}

// A mapRunner takes the place of a method's: one code address tells the types.
type mapRunner[K comparable, V any] struct{}

func (*mapRunner[K, V]) ask(c methodCall) {
	if c != nil {
		c.call(mapMethod[K, V]())
	}
}

// servedFunc is a function for what needs none: the runner does it all.
func servedFunc() *call.Funcval { return call.FuncvalOf(noFunc) }

func noFunc() {}

func applyMap[K comparable, V any](m map[K]V, c *mapCall[K, V]) (a mapAnswer[K, V]) {
	switch c.Op {
	case mapLen:
		a.N = len(m)
		return a
	case mapClear:
		clear(m)
		return a
	case mapAll:
		a.All = make(map[K]V, len(m))
		for k, v := range m {
			a.All[k] = v
		}
		return a
	}
	a.Value, a.OK = m[c.Key]
	switch c.Op {
	case mapStore, mapSwap:
		m[c.Key] = c.Value
	case mapLoadOrStore:
		if !a.OK {
			m[c.Key], a.Value = c.Value, c.Value
		}
	case mapDelete:
		delete(m, c.Key)
	case mapCompareAndSwap:
		if a.OK = a.OK && any(a.Value) == any(c.Old); a.OK {
			m[c.Key] = c.Value
		}
	}
	return a
}
