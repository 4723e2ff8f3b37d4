package mp

import (
	"fmt"
	"reflect"
	"unsafe"
)

// What the first byte of an interface says of it.
const (
	holdsNil byte = iota
	holdsValue
	holdsError // in the encoding of an error
)

// putInterface writes what an interface of type t holds: its type, and the
// value as the codec of that type does. An error that cannot be sent as it is
// is written as a task's error would be.
func putInterface(t reflect.Type) func(*writer, unsafe.Pointer) {
	return func(w *writer, p unsafe.Pointer) {
		v := reflect.NewAt(t, p).Elem()
		if v.IsNil() {
			w.b = append(w.b, holdsNil)
			return
		}
		held := v.Elem()
		mark := len(w.b)
		err, isError := v.Interface().(error)
		if isError && isPackageVariable(err) {
			w.b = append(w.b, holdsError)
			w.putError(err)
			return
		}
		w.b = append(w.b, holdsValue)
		w.putDynamic(held)
		if isError && w.err != nil && w.depth < maxDepth && t.NumMethod() == 0 {
			*w = writer{b: append(w.b[:mark], holdsError), depth: w.depth}
			w.putError(err)
		}
	}
}

// putDynamic writes a value with its type.
func (w *writer) putDynamic(v reflect.Value) {
	id, err := typeID(v.Type())
	var c *codec
	if err == nil {
		c, err = codecOf(v.Type())
	}
	if err != nil {
		w.fail(fmt.Errorf("is an interface that holds a %v, which cannot be sent: %w", v.Type(), bare{err}))
		return
	}
	w.putLen(len(id), false)
	w.b = append(w.b, id...)
	if w.enter() {
		held := reflect.New(v.Type())
		held.Elem().Set(v)
		c.put(w, held.UnsafePointer())
		if w.err != nil {
			w.within(fmt.Sprintf(".(%v)", v.Type()))
		}
	}
	w.leave()
}

func getInterface(t reflect.Type) func(*reader, unsafe.Pointer) {
	return func(r *reader, p unsafe.Pointer) {
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
			r.fail(errMalformed)
		}
		switch {
		case r.err != nil || !held.IsValid():
		case !held.Type().AssignableTo(t):
			r.reject(fmt.Errorf("a %v is not a %v", held.Type(), t))
		default:
			v.Set(held)
		}
	}
}

// takeDynamic reads what putDynamic wrote.
func (r *reader) takeDynamic() reflect.Value {
	t := r.takeType()
	if r.err != nil {
		return reflect.Value{}
	}
	c, err := codecOf(t)
	if err == nil && c.least > uintptr(len(r.b)) {
		err = errMalformed
	}
	if err != nil {
		r.fail(err)
		return reflect.Value{}
	}
	held := reflect.New(t)
	if r.enter() {
		c.get(r, held.UnsafePointer())
	}
	r.leave()
	return held.Elem()
}

// An error is sent as a task's error is.
func putError(w *writer, p unsafe.Pointer) {
	err := *(*error)(p)
	if err == nil {
		w.b = append(w.b, holdsNil)
		return
	}
	w.b = append(w.b, holdsError)
	w.putError(err)
}

func getError(r *reader, p unsafe.Pointer) {
	*(*error)(p) = nil
	switch r.takeByte() {
	case holdsNil:
	case holdsError:
		if err := r.takeError(); r.err == nil {
			*(*error)(p) = err
		}
	default:
		r.fail(errMalformed)
	}
}
