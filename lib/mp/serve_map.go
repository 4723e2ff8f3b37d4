package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/remote"
)

// A ServedMap is a map that lives in one process and that its children use too: a value
// that one process stores can be loaded by the others. To share it with a child, send
// it as the argument of a function or within it. Its methods are those of a sync.Map
// with a context and an error. They may be called from any goroutine and process. The
// error matches ErrClosed if the map was closed or its process is gone.
//
// Each call in a child sends one message to the serving process and receives one.
// Children store and load copies.
type ServedMap[K comparable, V any] struct{ ref Ref[map[K]V] }

// ServeMap serves m until Close. The program must not use m directly before Close. If m is
// nil, the served map is empty.
func ServeMap[K comparable, V any](m map[K]V) (*ServedMap[K, V], error) {
	if m == nil {
		m = make(map[K]V)
	}
	in, err := remote.Serve(unsafe.Pointer(&m))
	if err != nil {
		return nil, err
	}
	return &ServedMap[K, V]{Ref[map[K]V]{in}}, nil
}

// Load returns the value of a key; ok reports whether the key exists.
func (s *ServedMap[K, V]) Load(ctx context.Context, key K) (value V, ok bool, err error) {
	a, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapLoad, Key: key})
	return a.Value, a.OK, err
}

// Store sets the value of a key.
func (s *ServedMap[K, V]) Store(ctx context.Context, key K, value V) error {
	_, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapStore, Key: key, Value: value})
	return err
}

// LoadOrStore returns the existing value of a key, with loaded true. If the key does not
// exist, it stores and returns the given value.
func (s *ServedMap[K, V]) LoadOrStore(ctx context.Context, key K, value V) (actual V, loaded bool, err error) {
	a, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapLoadOrStore, Key: key, Value: value})
	return a.Value, a.OK, err
}

// LoadAndDelete removes a key and returns its value; loaded reports whether the key
// existed.
func (s *ServedMap[K, V]) LoadAndDelete(ctx context.Context, key K) (value V, loaded bool, err error) {
	a, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapDelete, Key: key})
	return a.Value, a.OK, err
}

// Delete removes a key.
func (s *ServedMap[K, V]) Delete(ctx context.Context, key K) error {
	_, _, err := s.LoadAndDelete(ctx, key)
	return err
}

// Swap sets the value of a key and returns the previous value; loaded reports whether
// the key existed.
func (s *ServedMap[K, V]) Swap(ctx context.Context, key K, value V) (previous V, loaded bool, err error) {
	a, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapSwap, Key: key, Value: value})
	return a.Value, a.OK, err
}

// CompareAndSwap sets the value of an existing key to new if it equals old, and reports
// whether it did. The dynamic type of old must be comparable.
func (s *ServedMap[K, V]) CompareAndSwap(ctx context.Context, key K, old, new V) (swapped bool, err error) {
	a, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapCompareAndSwap, Key: key, Old: old, Value: new})
	return a.OK, err
}

// Len returns the number of keys.
func (s *ServedMap[K, V]) Len(ctx context.Context) (int, error) {
	a, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapLen})
	return a.N, err
}

// Clear removes all keys.
func (s *ServedMap[K, V]) Clear(ctx context.Context) error {
	_, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapClear})
	return err
}

// Range calls f for each key and value of a copy of the map, until f returns false.
func (s *ServedMap[K, V]) Range(ctx context.Context, f func(key K, value V) bool) error {
	a, err := s.do(ctx, remote.MapCall[K, V]{Op: remote.MapAll})
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

// Close stops serving, as Ref.Close does.
func (s *ServedMap[K, V]) Close() {
	if s == nil {
		panicNil("ServedMap")
	}
	s.ref.Close()
}

func (s *ServedMap[K, V]) do(ctx context.Context, c remote.MapCall[K, V]) (a remote.MapAnswer[K, V], err error) {
	if s == nil {
		return a, nilError("ServedMap")
	}
	if s.ref.in == nil {
		return a, remote.ErrNotServed
	}
	err = s.ref.in.Ask(ctx, remote.MapMethod[K, V](), unsafe.Pointer(&c), unsafe.Pointer(&a))
	return a, err
}
