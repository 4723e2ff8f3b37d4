package object

import (
	"context"
	"reflect"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/guard"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A Value is the part of an mp.Value that does not depend on its type. Its methods take
// pointers to values of a type T, their size, and, in the parameter like, any pointer of
// type *T.
type Value struct {
	at    Handle
	Word  unsafe.Pointer // the address of the value in the object; nil until there is an object
	Guard *guard.Guard
}

func (v *Value) object(like any) *shm.Object {
	if o := v.at.Get(); o != nil {
		return o
	}
	if err := codec.CheckShareable(like, "a Value"); err != nil {
		panic(err)
	}
	return v.found(v.at.Object(shm.ValueSize(reflect.TypeOf(like).Elem().Size())))
}

// Make makes the object, shared or for goroutines. The first value is at the address first.
func (v *Value) Make(shared bool, first unsafe.Pointer, size uintptr, like any) error {
	if err := codec.CheckShareable(like, "a Value"); err != nil {
		return err
	}
	if err := v.at.Make(shared, shm.ValueSize(size)); err != nil {
		return err
	}
	o := v.found(v.at.Get())
	shm.InitValue(o, first, size)
	return nil
}

// found records the address of the value, for Add.
func (v *Value) found(o *shm.Object) *shm.Object {
	atomic.StorePointer(&v.Word, o.At(shm.ValueSlots))
	return o
}

// Load copies the value to the variable at to. A value of 4 or 8 bytes needs no lock.
//
//go:noinline
func (v *Value) Load(to unsafe.Pointer, size uintptr, like any) {
	v.Guard.Check("Load of a Value", 0, false)
	o := v.object(like)
	switch size {
	case 4:
		*(*uint32)(to) = o.U32(shm.ValueSlots).Load()
	case 8:
		*(*uint64)(to) = o.U64(shm.ValueSlots).Load()
	default:
		m := shm.Mutex{O: o}
		mustLock(m)
		defer m.Unlock()
		shm.LoadValue(to, o, size)
	}
	runtime.KeepAlive(v)
}

// Store copies the variable at from to the value.
//
//go:noinline
func (v *Value) Store(from unsafe.Pointer, size uintptr, like any) {
	v.Guard.Check("Store of a Value", 0, true)
	o := v.object(like)
	switch size {
	case 4:
		o.U32(shm.ValueSlots).Store(*(*uint32)(from))
	case 8:
		o.U64(shm.ValueSlots).Store(*(*uint64)(from))
	default:
		m := shm.Mutex{O: o}
		mustLock(m)
		defer m.Unlock()
		shm.StoreValue(o, from, size)
	}
	runtime.KeepAlive(v)
}

// Update copies the old value to p, calls f, which replaces the value at p by the new one,
// and stores the new value. It may call f more than once.
//
//go:noinline
func (v *Value) Update(p unsafe.Pointer, size uintptr, like any, f func()) {
	v.Guard.Check("Update of a Value", 0, true)
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
	mustLock(m)
	defer m.Unlock()
	shm.LoadValue(p, o, size)
	f()
	shm.StoreValue(o, p, size)
}

// Place makes the object of a zero Value, and returns Word.
//
//go:noinline
func (v *Value) Place(like any) unsafe.Pointer {
	v.object(like)
	v.found(v.at.Get())
	return atomic.LoadPointer(&v.Word)
}

// Close closes the object.
//
//go:noinline
func (v *Value) Close(like any) { v.object(like).Close() }

// Encode returns an encoded handle of the object and its guard.
func (v *Value) Encode() ([]byte, error) {
	b, err := v.at.Encode("Value")
	if err != nil {
		return nil, err
	}
	return v.Guard.Append(b)
}

// Open opens the object that an encoded handle names.
func (v *Value) Open(b []byte) error {
	n := min(len(b), shm.ObjectHandleSize)
	err := v.at.Open(b[:n], "Value")
	if err == nil {
		v.found(v.at.Get())
		v.Guard, err = guard.Open(b[n:])
	}
	return err
}

// mustLock takes a lock, or panics with ErrClosed.
func mustLock(m shm.Mutex) {
	if err := m.Lock(context.Background()); err != nil {
		panic(err)
	}
}
