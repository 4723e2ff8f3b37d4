package mp

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/object"
)

// A Value is a variable that goroutines or processes share. T must not contain
// pointers. Every method is atomic: if a process is killed within one, the Value has
// the old or the new value. The zero Value works for goroutines.
type Value[T any] struct{ v object.Value }

// Integer is the constraint of Add: integer types of 4 or 8 bytes.
type Integer interface {
	~int | ~int32 | ~int64 | ~uint | ~uint32 | ~uint64 | ~uintptr
}

// NewValue makes a Value with the value v. If T contains a pointer, the error names the field.
func NewValue[T any](b Backend, v T) (*Value[T], error) {
	made := new(Value[T])
	if err := makeValue(&made.v, b, unsafe.Pointer(&v), unsafe.Sizeof(v), (*T)(nil)); err != nil {
		return nil, err
	}
	return made, nil
}

//go:noinline
func makeValue(v *object.Value, b Backend, first unsafe.Pointer, size uintptr, like any) error {
	shared, err := isShared(b)
	if err != nil {
		return err
	}
	return v.Make(shared, first, size, like)
}

// GuardedBy names the lock that protects the value, as for an Array, and returns v.
func (v *Value[T]) GuardedBy(l Lock) *Value[T] {
	if v == nil {
		panicNil("Value")
	}
	v.v.Guard = guardOf(l)
	return v
}

// Load returns the value.
func (v *Value[T]) Load() (x T) {
	if v == nil {
		panicNil("Value")
	}
	v.v.Load(unsafe.Pointer(&x), unsafe.Sizeof(x), (*T)(nil))
	return x
}

// Store sets the value.
func (v *Value[T]) Store(x T) {
	if v == nil {
		panicNil("Value")
	}
	v.v.Store(unsafe.Pointer(&x), unsafe.Sizeof(x), (*T)(nil))
}

// Update sets the value to f(value), and returns the new value. f must not use v. If T
// has 4 or 8 bytes, f is called again when another goroutine or process changes the
// value meanwhile.
func (v *Value[T]) Update(f func(T) T) (x T) {
	if v == nil {
		panicNil("Value")
	}
	v.v.Update(unsafe.Pointer(&x), unsafe.Sizeof(x), (*T)(nil), func() { x = f(x) })
	return x
}

// Add adds d to v and returns the sum. It is several times faster than Update. If many
// goroutines or processes add at once and the sum is seldom needed, use a Counter,
// which is faster still.
func Add[T Integer](v *Value[T], d T) (sum T) {
	if v == nil {
		panicNil("Value")
	}
	v.v.Guard.Check("Add to a Value", 0, true)
	word := atomic.LoadPointer(&v.v.Word)
	if word == nil {
		word = v.v.Place((*T)(nil))
	}
	if unsafe.Sizeof(d) == 4 {
		sum = T(atomic.AddUint32((*uint32)(word), uint32(d)))
	} else {
		sum = T(atomic.AddUint64((*uint64)(word), uint64(d)))
	}
	runtime.KeepAlive(v)
	return sum
}

// Close makes it impossible to send the Value to more processes: a process that receives it
// later gets ErrClosed. Processes that have the Value can still use it if T has 4 or 8 bytes.
// Other Values must not be used after Close.
func (v *Value[T]) Close() {
	if v == nil {
		panicNil("Value")
	}
	v.v.Close((*T)(nil))
}

// String returns the value as fmt.Sprint formats it.
func (v *Value[T]) String() string { return sprint(v.Load()) }

//go:noinline
func sprint(v any) string { return fmt.Sprint(v) }

// GobEncode lets a Value be part of a value that is sent to a process, as a reference.
func (v *Value[T]) GobEncode() ([]byte, error) {
	if v == nil {
		return nil, nilError("Value")
	}
	return v.v.Encode()
}

// GobDecode is the inverse of GobEncode.
func (v *Value[T]) GobDecode(b []byte) error {
	if v == nil {
		return nilError("Value")
	}
	return v.v.Open(b)
}
