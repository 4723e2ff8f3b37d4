package mp

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"reflect"
	"runtime"
	"strconv"
	"unsafe"
)

// How an error is sent.
const (
	errorVariable byte = iota // a package variable, and what to make of it if that is not the same there
	errorValue                // with its type
	errorText                 // text, type, and what it wraps
	errorPanic                // a *PanicError
)

// Bounds of the errors that an error wraps, and of the bytes that one takes as
// a value. What is beyond is sent as text.
const (
	maxWraps      = 100
	maxErrorValue = 16 << 20
)

// encodeError encodes an error, which is not nil.
func encodeError(err error) []byte {
	var w writer
	w.putError(err)
	return w.b
}

// decodeError undoes encodeError.
func decodeError(b []byte) error {
	r := reader{b: b}
	err := r.takeError()
	if r.err == nil && len(r.b) > 0 {
		return errMalformed
	}
	if out := r.outcome(); out != nil {
		return out
	}
	return err
}

// putError writes an error. It does not fail: what cannot be sent is written
// as its text.
func (w *writer) putError(err error) {
	if id := variableID(err); id != "" {
		w.b = append(w.b, errorVariable)
		w.b = appendStrings(w.b, id)
		w.b = binary.LittleEndian.AppendUint64(w.b, likeness(err))
		at := len(w.b)
		w.b = append(w.b, 0, 0, 0, 0)
		w.putErrorValue(err)
		binary.LittleEndian.PutUint32(w.b[at:], uint32(len(w.b)-at-4))
		return
	}
	w.putErrorValue(err)
}

func (w *writer) putErrorValue(err error) {
	if p, ok := err.(*PanicError); ok && p != nil {
		w.b = appendStrings(append(w.b, errorPanic), p.Text, p.Stack, strconv.Itoa(p.PID))
		if !w.try(func(w *writer) { putAny(w, &p.Value) }) {
			w.b = append(w.b, holdsNil)
		}
		return
	}
	text, ok := errorString(err)
	if ok && w.try(func(w *writer) {
		w.b = append(w.b, errorValue)
		w.putDynamic(reflect.ValueOf(err))
	}) {
		return
	}
	w.putErrorText(err, text, !ok)
}

// try writes with f, or nothing where that fails.
func (w *writer) try(f func(w *writer)) bool {
	part := writer{b: w.b, depth: w.depth, wraps: w.wraps}
	if f(&part); part.err != nil || len(part.b)-len(w.b) > maxErrorValue {
		return false
	}
	w.b = part.b
	return true
}

func putAny(w *writer, v *any) { putInterface(reflect.TypeFor[any]())(w, unsafe.Pointer(v)) }
func getAny(r *reader, v *any) { getInterface(reflect.TypeFor[any]())(r, unsafe.Pointer(v)) }

// putErrorText writes the text of an error and what it wraps. An error whose
// own methods panic is among what it wraps: nobody calls them unasked then.
func (w *writer) putErrorText(err error, text string, broken bool) {
	typ := reflect.TypeOf(err).String()
	_, isRuntime := err.(runtime.Error)
	w.b = append(append(w.b, errorText), byte(btoi(isRuntime)))
	w.b = appendStrings(w.b, text, typ, string(matches(err)))
	var parts []error
	if !broken {
		parts = unwrap(err)
	}
	w.wraps += len(parts)
	if w.wraps > maxWraps || w.depth > maxWraps {
		parts = nil
	}
	w.depth++
	w.b = binary.AppendUvarint(w.b, uint64(len(parts)))
	for _, e := range parts {
		w.putError(e)
	}
	w.depth--
	if !broken || !w.try(func(w *writer) {
		w.b = append(w.b, holdsValue)
		w.putDynamic(reflect.ValueOf(err))
	}) {
		w.b = append(w.b, holdsNil)
	}
}

// takeError reads what putError wrote.
func (r *reader) takeError() error {
	if !r.enter() {
		return nil
	}
	defer r.leave()
	switch r.takeByte() {
	case errorVariable:
		return r.takeErrorVariable()
	case errorValue:
		v := r.takeDynamic()
		if r.err != nil {
			return nil
		}
		err, ok := v.Interface().(error)
		if !ok {
			r.fail(errMalformed)
		}
		return err
	case errorText:
		return r.takeErrorText()
	case errorPanic:
		p := &PanicError{Text: r.takeString(), Stack: r.takeString()}
		pid, err := strconv.Atoi(r.takeString())
		if err != nil {
			r.fail(errMalformed)
			return nil
		}
		p.PID, p.Value = pid, p.Text
		var v any
		if getAny(r, &v); v != nil {
			p.Value = v
		}
		return p
	}
	r.fail(errMalformed)
	return nil
}

func (r *reader) takeErrorVariable() error {
	id := r.takeString()
	like := r.take(8)
	size := r.take(4)
	if r.err != nil {
		return nil
	}
	rest := r.take(uintptr(binary.LittleEndian.Uint32(size)))
	if r.err != nil {
		return nil
	}
	if err := variableAt(id); err != nil && likeness(err) == binary.LittleEndian.Uint64(like) {
		return err
	}
	part := reader{b: rest, depth: r.depth}
	err := part.takeError()
	if part.err == nil && len(part.b) > 0 {
		part.err = errMalformed
	}
	if part.err != nil {
		r.fail(part.err)
	}
	if part.bad != nil {
		r.reject(part.bad)
	}
	return err
}

func (r *reader) takeErrorText() error {
	isRuntime := r.takeByte() == 1
	e := &RemoteError{Text: r.takeString(), Type: r.takeString()}
	all := known()
	for _, i := range []byte(r.takeString()) {
		if int(i) < len(all) {
			e.wraps = append(e.wraps, all[i])
		}
	}
	n := r.takeUvarint()
	for i := uint64(0); i < n && r.err == nil; i++ {
		if err := r.takeError(); err != nil {
			e.wraps = append(e.wraps, err)
		}
	}
	if r.takeByte() == holdsValue {
		if v := r.takeDynamic(); r.err == nil {
			if err, ok := v.Interface().(error); ok {
				e.wraps = append(e.wraps, err)
			}
		}
	}
	if r.err != nil {
		return nil
	}
	if isRuntime {
		return &remoteRuntimeError{e}
	}
	return e
}

// A remoteRuntimeError is the error of the Go runtime in another process that
// cannot be sent as it is.
type remoteRuntimeError struct{ *RemoteError }

func (*remoteRuntimeError) RuntimeError()     {}
func (e *remoteRuntimeError) Unwrap() []error { return e.wraps }

// unwrap returns the errors that err wraps.
func unwrap(err error) (parts []error) {
	defer func() {
		if v := recover(); v != nil {
			parts = nil
		}
	}()
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if part := e.Unwrap(); part != nil {
			parts = []error{part}
		}
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			if part != nil {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// matches lists the places in known of the errors that an error claims to be.
func matches(err error) (places []byte) {
	defer func() { _ = recover() }()
	e, ok := err.(interface{ Is(error) bool })
	if !ok {
		return nil
	}
	for i, k := range known() {
		if e.Is(k) {
			places = append(places, byte(i))
		}
	}
	return places
}

// likeness is a hash of an error's type and text.
func likeness(err error) uint64 {
	text, _ := errorString(err)
	h := fnv.New64a()
	h.Write([]byte(reflect.TypeOf(err).String() + "\x00" + text))
	return h.Sum64()
}

// isPackageVariable reports whether err is one that other processes have, too.
func isPackageVariable(err error) bool { return variableID(err) != "" }

// known lists errors that are found without a look at the binary, by position.
func known() []error {
	return []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF,
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed,
		ErrNoEntry, ErrRunning, ErrUnkillable, ErrGoexit, ErrUnsupported,
		ErrClosed, ErrFull, ErrBroken, errors.ErrUnsupported, ErrTooLarge,
	}
}
