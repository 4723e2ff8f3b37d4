package mp

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"unsafe"
)

// A Value is one variable that goroutines or processes share. Its type must be
// free of pointers. Every method is atomic, and a process that is killed in
// the middle of one leaves the old value or the new one. The zero Value is one
// for goroutines.
type Value[T any] struct{ at home }

func (v *Value[T]) cell() *cell {
	if c := v.at.p.Load(); c != nil {
		return c
	}
	if err := checkPlain(reflect.TypeFor[T](), "a Value"); err != nil {
		panic(err)
	}
	return v.at.cell(valueSlots + 2*slotSize[T]())
}

// The cell holds a lock, which of the two slots is current, and the slots.
// Values of one word are kept in slot 0 and need no lock.
const (
	valueCurrent = lockEnd
	valueSlots   = 64
)

// An Integer is what Add counts.
type Integer interface {
	~int | ~int32 | ~int64 | ~uint | ~uint32 | ~uint64 | ~uintptr
}

// NewValue makes a Value that is v. If T has a pointer in it, the error names
// the field.
func NewValue[T any](b Backend, v T) (*Value[T], error) {
	if err := checkPlain(reflect.TypeFor[T](), "a Value"); err != nil {
		return nil, err
	}
	c, err := newCell(b, valueSlots+2*slotSize[T]())
	if err != nil {
		return nil, err
	}
	val := new(Value[T])
	val.at.p.Store(c)
	*val.slot(0) = v
	return val, nil
}

func slotSize[T any]() int { return (int(unsafe.Sizeof(*new(T))) + 15) &^ 15 }

// checkPlain says why values of t cannot lie in shared memory.
func checkPlain(t reflect.Type, what string) error {
	if path, bad := pointerIn(t, typeName(t)); bad != nil {
		return fmt.Errorf("mp: %s of %v cannot be shared: %s is a %v, which holds a pointer "+
			"(use numbers and arrays of fixed length)", what, t, path, bad)
	}
	if !plain(t) {
		return fmt.Errorf("mp: %s of %v cannot be shared: it encodes itself or is a lock", what, t)
	}
	return nil
}

// plain is fixedSize that allows types which encode themselves: in shared
// memory nothing is encoded.
func plain(t reflect.Type) bool {
	p := t.PkgPath()
	return p != "sync" && p != "sync/atomic"
}

// pointerIn finds the first part of t that is not its own value.
func pointerIn(t reflect.Type, path string) (string, reflect.Type) {
	switch k := t.Kind(); {
	case reflect.Bool <= k && k <= reflect.Complex128:
		return "", nil
	case k == reflect.Array:
		return pointerIn(t.Elem(), path+"[]")
	case k == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if at, bad := pointerIn(f.Type, path+"."+f.Name); bad != nil {
				return at, bad
			}
		}
		return "", nil
	}
	return path, t
}

func (v *Value[T]) slot(i uint32) *T {
	return (*T)(unsafe.Pointer(&v.cell().mem[valueSlots+int(i)*slotSize[T]()]))
}

// isWord reports whether a T is written in one go.
func isWord[T any]() bool { n := unsafe.Sizeof(*new(T)); return n == 4 || n == 8 }

// bits returns a T of one word as a number, and fromBits undoes that.
func bits[T any](x T) uint64 {
	if unsafe.Sizeof(x) == 4 {
		return uint64(*(*uint32)(unsafe.Pointer(&x)))
	}
	var u uint64
	*(*T)(unsafe.Pointer(&u)) = x
	return u
}

func fromBits[T any](u uint64) (x T) {
	if unsafe.Sizeof(x) == 4 {
		half := uint32(u)
		return *(*T)(unsafe.Pointer(&half))
	}
	return *(*T)(unsafe.Pointer(&u))
}

func (v *Value[T]) swapWord(was, is T) bool {
	if unsafe.Sizeof(was) == 4 {
		return v.cell().u32(valueSlots).CompareAndSwap(uint32(bits(was)), uint32(bits(is)))
	}
	return v.cell().u64(valueSlots).CompareAndSwap(bits(was), bits(is))
}

// Load returns the value.
func (v *Value[T]) Load() T {
	defer runtime.KeepAlive(v)
	if isWord[T]() {
		if unsafe.Sizeof(*new(T)) == 4 {
			return fromBits[T](uint64(v.cell().u32(valueSlots).Load()))
		}
		return fromBits[T](v.cell().u64(valueSlots).Load())
	}
	m := mutex{v.cell(), 0}
	_ = m.lock(steady{context.Background()})
	defer m.unlock()
	return *v.slot(v.cell().u32(valueCurrent).Load())
}

// Store sets the value.
func (v *Value[T]) Store(x T) {
	switch unsafe.Sizeof(x) {
	case 4:
		v.cell().u32(valueSlots).Store(uint32(bits(x)))
	case 8:
		v.cell().u64(valueSlots).Store(bits(x))
	default:
		v.Update(func(T) T { return x })
	}
	runtime.KeepAlive(v)
}

// Update replaces the value by f of it, and returns the new one. f must not
// use v; if T is of 4 or 8 bytes, f may be called again when others interfere.
func (v *Value[T]) Update(f func(T) T) T {
	defer runtime.KeepAlive(v)
	if isWord[T]() {
		for {
			was := v.Load()
			if is := f(was); v.swapWord(was, is) {
				return is
			}
		}
	}
	m := mutex{v.cell(), 0}
	_ = m.lock(steady{context.Background()})
	defer m.unlock()
	current := v.cell().u32(valueCurrent).Load()
	is := f(*v.slot(current))
	*v.slot(1 - current) = is
	v.cell().u32(valueCurrent).Store(1 - current)
	return is
}

// Add adds d to v and returns the sum: Update for numbers, several times faster.
// Where few need the sum and many add at once, a Counter is faster still.
func Add[T Integer](v *Value[T], d T) (sum T) {
	if unsafe.Sizeof(d) == 4 {
		sum = T(v.cell().u32(valueSlots).Add(uint32(d)))
	} else {
		sum = T(v.cell().u64(valueSlots).Add(uint64(d)))
	}
	runtime.KeepAlive(v)
	return sum
}

// GobEncode lets a Value be part of what is sent to a process.
func (v *Value[T]) GobEncode() ([]byte, error) { return v.at.encode("Value") }

// GobDecode is the other end of GobEncode.
func (v *Value[T]) GobDecode(b []byte) error { return v.at.open(b, "a Value") }
