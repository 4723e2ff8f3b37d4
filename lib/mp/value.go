package mp

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A Value is a variable that goroutines or processes share. T must not contain
// pointers. Every method is atomic: if a process is killed within one, the Value has
// the old or the new value. The zero Value works for goroutines.
type Value[T any] struct{ v value }

// A value is the part of a Value that does not depend on its type. Its methods take
// pointers to values, their size, and as like any pointer of type *T.
type value struct {
	at   object.Handle
	word unsafe.Pointer // the address of the value in the object; nil until there is an object
}

func (v *value) object(like any) *shm.Object {
	if o := v.at.Get(); o != nil {
		return o
	}
	if err := codec.CheckShareable(like, "a Value"); err != nil {
		panic(err)
	}
	return v.found(v.at.Object(shm.ValueSize(reflect.TypeOf(like).Elem().Size())))
}

// An Integer is a type of integers that Add can add to.
type Integer interface {
	~int | ~int32 | ~int64 | ~uint | ~uint32 | ~uint64 | ~uintptr
}

// NewValue makes a Value with the value v. If T contains a pointer, the error names the
// field.
func NewValue[T any](b Backend, v T) (*Value[T], error) {
	made := new(Value[T])
	if err := made.v.make(b, unsafe.Pointer(&v), unsafe.Sizeof(v), (*T)(nil)); err != nil {
		return nil, err
	}
	return made, nil
}

//go:noinline
func (v *value) make(b Backend, first unsafe.Pointer, size uintptr, like any) error {
	if err := codec.CheckShareable(like, "a Value"); err != nil {
		return err
	}
	if err := makeHandle(&v.at, b, shm.ValueSize(size)); err != nil {
		return err
	}
	o := v.found(v.at.Get())
	shm.InitValue(o, first, size)
	return nil
}

// found records the address of the value, for Add.
func (v *value) found(o *shm.Object) *shm.Object {
	atomic.StorePointer(&v.word, o.At(shm.ValueSlots))
	return o
}

// Load returns the value.
func (v *Value[T]) Load() (x T) {
	if v == nil {
		panicNil("Value")
	}
	v.v.load(unsafe.Pointer(&x), unsafe.Sizeof(x), (*T)(nil))
	return x
}

// load copies the value to to. A value of 4 or 8 bytes needs no lock.

//go:noinline
func (v *value) load(to unsafe.Pointer, size uintptr, like any) {
	o := v.object(like)
	switch size {
	case 4:
		*(*uint32)(to) = o.U32(shm.ValueSlots).Load()
	case 8:
		*(*uint64)(to) = o.U64(shm.ValueSlots).Load()
	default:
		m := shm.Mutex{O: o}
		mustLock(m.Lock(context.Background()))
		defer m.Unlock()
		shm.LoadValue(to, o, size)
	}
	runtime.KeepAlive(v)
}

// Store sets the value.
func (v *Value[T]) Store(x T) {
	if v == nil {
		panicNil("Value")
	}
	v.v.store(unsafe.Pointer(&x), unsafe.Sizeof(x), (*T)(nil))
}

//go:noinline
func (v *value) store(from unsafe.Pointer, size uintptr, like any) {
	o := v.object(like)
	switch size {
	case 4:
		o.U32(shm.ValueSlots).Store(*(*uint32)(from))
	case 8:
		o.U64(shm.ValueSlots).Store(*(*uint64)(from))
	default:
		m := shm.Mutex{O: o}
		mustLock(m.Lock(context.Background()))
		defer m.Unlock()
		shm.StoreValue(o, from, size)
	}
	runtime.KeepAlive(v)
}

// Update sets the value to f(value), and returns the new value. f must not use v. If T
// has 4 or 8 bytes, f is called again when another goroutine or process changes the
// value meanwhile.
func (v *Value[T]) Update(f func(T) T) (x T) {
	if v == nil {
		panicNil("Value")
	}
	v.v.update(unsafe.Pointer(&x), unsafe.Sizeof(x), (*T)(nil), func() { x = f(x) })
	return x
}

// update calls f, which replaces the old value at p by the new one.
//
//go:noinline
func (v *value) update(p unsafe.Pointer, size uintptr, like any, f func()) {
	defer runtime.KeepAlive(v)
	o := v.object(like)
	switch size {
	case 4:
		for {
			was := o.U32(shm.ValueSlots).Load()
			*(*uint32)(p) = was
			if f(); o.U32(shm.ValueSlots).CompareAndSwap(was, *(*uint32)(p)) {
				return
			}
		}
	case 8:
		for {
			was := o.U64(shm.ValueSlots).Load()
			*(*uint64)(p) = was
			if f(); o.U64(shm.ValueSlots).CompareAndSwap(was, *(*uint64)(p)) {
				return
			}
		}
	}
	m := shm.Mutex{O: o}
	mustLock(m.Lock(context.Background()))
	defer m.Unlock()
	shm.LoadValue(p, o, size)
	f()
	shm.StoreValue(o, p, size)
}

// Add adds d to v and returns the sum. It is several times faster than Update. If many
// goroutines or processes add at once and the sum is seldom needed, use a Counter,
// which is faster still.
func Add[T Integer](v *Value[T], d T) (sum T) {
	if v == nil {
		panicNil("Value")
	}
	word := atomic.LoadPointer(&v.v.word)
	if word == nil {
		word = v.v.place((*T)(nil))
	}
	if unsafe.Sizeof(d) == 4 {
		sum = T(atomic.AddUint32((*uint32)(word), uint32(d)))
	} else {
		sum = T(atomic.AddUint64((*uint64)(word), uint64(d)))
	}
	runtime.KeepAlive(v)
	return sum
}

// place makes the object of a zero Value.
//
//go:noinline
func (v *value) place(like any) unsafe.Pointer {
	v.object(like)
	v.found(v.at.Get())
	return atomic.LoadPointer(&v.word)
}

// Close makes it impossible to send the Value to more processes: one that opens it
// later gets ErrClosed. Processes that have it can still use it if T has 4 or 8 bytes;
// other Values must not be used after Close.
func (v *Value[T]) Close() {
	if v == nil {
		panicNil("Value")
	}
	v.v.close((*T)(nil))
}

//go:noinline
func (v *value) close(like any) { v.object(like).Close() }

// String returns the value as fmt.Sprint formats it.
func (v *Value[T]) String() string { return sprint(v.Load()) }

//go:noinline
func sprint(v any) string { return fmt.Sprint(v) }

// GobEncode lets a Value be part of a value that is sent to a process, as a reference.
func (v *Value[T]) GobEncode() ([]byte, error) {
	if v == nil {
		return nil, nilError("Value")
	}
	return v.v.at.Encode("Value")
}

// GobDecode is the inverse of GobEncode.
func (v *Value[T]) GobDecode(b []byte) error {
	if v == nil {
		return nilError("Value")
	}
	return v.v.open(b)
}

func (v *value) open(b []byte) error {
	err := v.at.Open(b, "Value")
	if err == nil {
		v.found(v.at.Get())
	}
	return err
}
