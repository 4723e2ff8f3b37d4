package codec

import (
	"fmt"
	"reflect"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// The first byte of an encoded interface says what it holds.
const (
	holdsNil byte = iota
	holdsValue
	holdsError // an error, in the encoding of putError
)

// putInterface encodes the value in an interface of type t: the value's type, then the
// value with the codec of that type. An error that cannot be sent in this way is encoded by
// putError.
func putInterface(t reflect.Type) func(*Writer, unsafe.Pointer) {
	return func(w *Writer, p unsafe.Pointer) {
		v := reflect.NewAt(t, p).Elem()
		if v.IsNil() {
			w.B = append(w.B, holdsNil)
			return
		}
		held := v.Elem()
		mark := len(w.B)
		err, isError := v.Interface().(error)
		if isError && isPackageVariable(err) && !w.Portable {
			w.B = append(w.B, holdsError)
			w.putError(err)
			return
		}
		w.B = append(w.B, holdsValue)
		w.putDynamic(held)
		if isError && w.Err != nil && w.depth < maxDepth && t.NumMethod() == 0 {
			*w = Writer{B: append(w.B[:mark], holdsError), Portable: w.Portable, depth: w.depth}
			w.putError(err)
		}
	}
}

// putDynamic writes a value with its type.
func (w *Writer) putDynamic(v reflect.Value) {
	id, err := typeID(v.Type())
	if err == nil && w.Portable && !isPortable(v.Type()) {
		err = fmt.Errorf("mp: a value of the type %v in an interface cannot be sent to another program, which may not have that type", v.Type())
	}
	var c *Codec
	if err == nil {
		c, err = Of(v.Type())
	}
	if err != nil {
		w.fail(fmt.Errorf("the interface holds a value of the type %s: %w", v.Type(), failure.Unprefixed(err)))
		return
	}
	w.PutLen(len(id), false)
	w.B = append(w.B, id...)
	if w.enter() {
		held := reflect.New(v.Type())
		held.Elem().Set(v)
		c.Encode(w, held.UnsafePointer())
		if w.Err != nil {
			w.within(fmt.Sprintf(".(%v)", v.Type()))
		}
	}
	w.leave()
}

func getInterface(t reflect.Type) func(*Reader, unsafe.Pointer) {
	return func(r *Reader, p unsafe.Pointer) {
		v := reflect.NewAt(t, p).Elem()
		v.SetZero()
		var held reflect.Value
		switch r.takeByte() {
		case holdsNil:
			return
		case holdsValue:
			held = r.takeDynamic()
		case holdsError:
			held = reflect.ValueOf(r.takeError())
		default:
			r.fail(failure.ErrMalformed)
		}
		switch {
		case r.Err != nil || !held.IsValid():
		case !held.Type().AssignableTo(t):
			r.reject(fmt.Errorf("the received value has the type %s, which an interface of the type %s cannot hold", held.Type(), t))
		default:
			v.Set(held)
		}
	}
}

// takeDynamic reads what putDynamic wrote.
func (r *Reader) takeDynamic() reflect.Value {
	t := r.takeType()
	if r.Err != nil {
		return reflect.Value{}
	}
	c, err := Of(t)
	if err == nil && c.least > uintptr(len(r.B)) {
		err = failure.ErrMalformed
	}
	if err != nil {
		r.fail(err)
		return reflect.Value{}
	}
	held := reflect.New(t)
	if r.enter() {
		c.Decode(r, held.UnsafePointer())
	}
	r.leave()
	return held.Elem()
}

// putError encodes a variable of type error.
func putError(w *Writer, p unsafe.Pointer) {
	err := *(*error)(p)
	if err == nil {
		w.B = append(w.B, holdsNil)
		return
	}
	w.B = append(w.B, holdsError)
	w.putError(err)
}

func getError(r *Reader, p unsafe.Pointer) {
	*(*error)(p) = nil
	switch r.takeByte() {
	case holdsNil:
	case holdsError:
		if err := r.takeError(); r.Err == nil {
			*(*error)(p) = err
		}
	default:
		r.fail(failure.ErrMalformed)
	}
}
