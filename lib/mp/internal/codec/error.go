package codec

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

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// The ways in which an error is sent.
const (
	errorVariable byte = iota // the id of a package variable, and the error's value if the receiver's variable differs
	errorValue                // the value, with its type
	errorText                 // its text and type, and the errors that it wraps
	errorPanic                // a *PanicError
)

// maxWraps is the largest number of wrapped errors that are sent, and maxErrorValue the
// largest size in bytes of an error that is sent as a value; a larger one is sent as
// text.
const (
	maxWraps      = 100
	maxErrorValue = 16 << 20
)

// EncodeError encodes err, which must not be nil.
func EncodeError(err error) []byte { return EncodeErrorFor(err, false) }

// EncodeErrorFor is EncodeError with a Writer whose field Portable is portable.
func EncodeErrorFor(err error, portable bool) []byte {
	w := Writer{Portable: portable}
	w.putError(err)
	return w.B
}

// DecodeError returns the error that EncodeError encoded. If b is malformed, it returns an error
// that says so.
func DecodeError(b []byte) error { return DecodeErrorFor(b, false) }

// DecodeErrorFor is DecodeError with a Reader whose field Portable is portable.
func DecodeErrorFor(b []byte, portable bool) error {
	r := Reader{B: b, Portable: portable}
	err := r.takeError()
	if r.Err == nil && len(r.B) > 0 {
		return failure.ErrMalformed
	}
	if out := r.ValueErr(); out != nil {
		return out
	}
	return err
}

// putError writes an error. It always succeeds: an error that cannot be sent as a value
// is written as text.
func (w *Writer) putError(err error) {
	if id := variableID(err); id != "" && (!w.Portable || id[0] == foundKnown) {
		w.B = append(w.B, errorVariable)
		w.B = AppendStrings(w.B, id)
		w.B = binary.LittleEndian.AppendUint64(w.B, likeness(err))
		at := len(w.B)
		w.B = append(w.B, 0, 0, 0, 0)
		w.putErrorValue(err)
		binary.LittleEndian.PutUint32(w.B[at:], uint32(len(w.B)-at-4))
		return
	}
	w.putErrorValue(err)
}

func (w *Writer) putErrorValue(err error) {
	if p, ok := err.(*failure.PanicError); ok && p != nil {
		w.B = AppendStrings(append(w.B, errorPanic), p.Text, p.Stack, strconv.Itoa(p.PID))
		if !w.try(func(w *Writer) { putAny(w, &p.Value) }) {
			w.B = append(w.B, holdsNil)
		}
		return
	}
	text, ok := failure.Text(err)
	if ok && w.try(func(w *Writer) {
		w.B = append(w.B, errorValue)
		w.putDynamic(reflect.ValueOf(err))
	}) {
		return
	}
	w.putErrorText(err, text, !ok)
}

// try writes with f, and reports whether that succeeded; if not, it leaves w unchanged.
func (w *Writer) try(f func(w *Writer)) bool {
	part := Writer{B: w.B, Portable: w.Portable, depth: w.depth, wraps: w.wraps}
	if f(&part); part.Err != nil || len(part.B)-len(w.B) > maxErrorValue {
		return false
	}
	w.B = part.B
	return true
}

func putAny(w *Writer, v *any) { putInterface(reflect.TypeFor[any]())(w, unsafe.Pointer(v)) }
func getAny(r *Reader, v *any) { getInterface(reflect.TypeFor[any]())(r, unsafe.Pointer(v)) }

// putErrorText writes an error as its text and the errors that it wraps. broken means
// that the error's methods panic: then they are not called, and the error's value is
// sent as one that it wraps.
func (w *Writer) putErrorText(err error, text string, broken bool) {
	typ := reflect.TypeOf(err).String()
	_, isRuntime := err.(runtime.Error)
	w.B = append(append(w.B, errorText), boolByte(isRuntime))
	w.B = AppendStrings(w.B, text, typ, string(matches(err)))
	var parts []error
	if !broken {
		parts = unwrap(err)
	}
	w.wraps += len(parts)
	if w.wraps > maxWraps || w.depth > maxWraps {
		parts = nil
	}
	w.depth++
	w.B = binary.AppendUvarint(w.B, uint64(len(parts)))
	for _, e := range parts {
		w.putError(e)
	}
	w.depth--
	if !broken || !w.try(func(w *Writer) {
		w.B = append(w.B, holdsValue)
		w.putDynamic(reflect.ValueOf(err))
	}) {
		w.B = append(w.B, holdsNil)
	}
}

// takeError reads what putError wrote.
func (r *Reader) takeError() error {
	if !r.enter() {
		return nil
	}
	defer r.leave()
	switch r.takeByte() {
	case errorVariable:
		return r.takeErrorVariable()
	case errorValue:
		v := r.takeDynamic()
		if r.Err != nil {
			return nil
		}
		err, ok := v.Interface().(error)
		if !ok {
			r.fail(failure.ErrMalformed)
		}
		return err
	case errorText:
		return r.takeErrorText()
	case errorPanic:
		p := &failure.PanicError{Text: r.takeString(), Stack: r.takeString()}
		pid, err := strconv.Atoi(r.takeString())
		if err != nil {
			r.fail(failure.ErrMalformed)
			return nil
		}
		p.PID, p.Value = pid, p.Text
		var v any
		if getAny(r, &v); v != nil {
			p.Value = v
		}
		return p
	}
	r.fail(failure.ErrMalformed)
	return nil
}

func (r *Reader) takeErrorVariable() error {
	id := r.takeString()
	like := r.take(8)
	size := r.take(4)
	if r.Err != nil {
		return nil
	}
	rest := r.take(uintptr(binary.LittleEndian.Uint32(size)))
	if r.Err != nil {
		return nil
	}
	if r.Portable && (len(id) == 0 || id[0] != foundKnown) {
		r.fail(failure.ErrMalformed)
		return nil
	}
	if err := variableAt(id); err != nil && likeness(err) == binary.LittleEndian.Uint64(like) {
		return err
	}
	part := Reader{B: rest, Portable: r.Portable, depth: r.depth}
	err := part.takeError()
	if part.Err == nil && len(part.B) > 0 {
		part.Err = failure.ErrMalformed
	}
	if part.Err != nil {
		r.fail(part.Err)
	}
	if part.bad != nil {
		r.reject(part.bad)
	}
	return err
}

func (r *Reader) takeErrorText() error {
	isRuntime := r.takeByte() == 1
	text, typ := r.takeString(), r.takeString()
	var wraps []error
	all := known()
	for _, i := range []byte(r.takeString()) {
		if int(i) < len(all) {
			wraps = append(wraps, all[i])
		}
	}
	n := r.takeUvarint()
	for i := uint64(0); i < n && r.Err == nil; i++ {
		if err := r.takeError(); err != nil {
			wraps = append(wraps, err)
		}
	}
	if r.takeByte() == holdsValue {
		if v := r.takeDynamic(); r.Err == nil {
			if err, ok := v.Interface().(error); ok {
				wraps = append(wraps, err)
			}
		}
	}
	if r.Err != nil {
		return nil
	}
	e := failure.NewRemoteError(text, typ, wraps)
	if isRuntime {
		return failure.NewRemoteRuntimeError(e)
	}
	return e
}

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

// matches returns the indexes in known of the errors that err's Is method matches.
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

// likeness returns a hash of an error's type and text.
func likeness(err error) uint64 {
	text, _ := failure.Text(err)
	h := fnv.New64a()
	h.Write([]byte(reflect.TypeOf(err).String() + "\x00" + text))
	return h.Sum64()
}

// isPackageVariable reports whether err is held by a package variable that other
// processes have, too.
func isPackageVariable(err error) bool { return variableID(err) != "" }

// known returns errors that are recognized without a search of the binary. They are
// sent as their index.
func known() []error {
	return []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF,
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed,
		failure.ErrNoEntry, failure.ErrRunning, failure.ErrUnkillable, failure.ErrGoexit, failure.ErrUnsupported,
		shm.ErrClosed, failure.ErrFull, failure.ErrBroken, errors.ErrUnsupported, failure.ErrTooLarge,
	}
}
