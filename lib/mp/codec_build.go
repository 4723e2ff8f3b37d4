package mp

import (
	"encoding"
	"encoding/gob"
	"fmt"
	"reflect"
	"strings"
	"unsafe"
)

// A builder makes the codec of a type and of those that it is made of.
type builder struct {
	building map[reflect.Type]*codec // also for types that contain themselves
}

// build makes the codec of t; path names the value for errors.
func (b builder) build(t reflect.Type, path string) (*codec, error) {
	if c := b.building[t]; c != nil {
		return c, nil
	}
	c := &codec{typ: t, size: t.Size()}
	b.building[t] = c
	if ok, err := b.bySelf(c, t); ok || err != nil {
		return c, wrapPath(path, err)
	}
	if reason := refusal(t); reason != "" {
		return nil, fmt.Errorf("%s is a %v: %s", path, t, reason)
	}
	if fixedSize(t) {
		c.fixed = true
		return c, nil
	}
	return c, b.byKind(c, t, path)
}

func wrapPath(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (b builder) byKind(c *codec, t reflect.Type, path string) error {
	switch t.Kind() {
	case reflect.String:
		c.encode, c.decode = putString, getString
		return nil
	case reflect.Slice:
		return b.slice(c, t, path)
	case reflect.Array:
		return b.array(c, t, path)
	case reflect.Struct:
		return b.structure(c, t, path)
	case reflect.Pointer:
		return b.pointer(c, t, path)
	case reflect.Map:
		return b.mapping(c, t, path)
	case reflect.Interface:
		if t == reflect.TypeFor[error]() {
			c.encode, c.decode = putError, getError
		} else {
			c.encode, c.decode = putInterface(t, path), getInterface(t)
		}
		return nil
	}
	return fmt.Errorf("%s has the kind %v, which cannot be sent", path, t.Kind())
}

// refusal says why values of t mean nothing in another process, or nothing.
func refusal(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Chan:
		return "a channel works within one process; use an mp.Queue or mp.Pipe"
	case reflect.Func:
		return "a function cannot be part of a value; send it as the function to run"
	case reflect.UnsafePointer:
		return "an address means nothing in another process; use an mp.Array"
	}
	switch t.PkgPath() {
	case "sync":
		return "it works within one process; use mp.Lock, mp.Cond or mp.Event"
	case "sync/atomic":
		return "a copy of it would not be shared; use an mp.Value"
	}
	if t.Kind() == reflect.Struct && isStd(t.PkgPath()) && !fixedSize(t) && hasUnexported(t) {
		return "its state belongs to this process and its package gives no way to encode it"
	}
	return ""
}

func hasUnexported(t reflect.Type) bool {
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return true
		}
	}
	return false
}

// isStd reports whether path is of the standard library, whose types with
// hidden state must encode themselves.
func isStd(path string) bool {
	const roots = " archive bufio bytes compress container context crypto database debug embed encoding errors " +
		"expvar flag fmt go hash html image index io iter log maps math mime net os path plugin reflect regexp " +
		"runtime slices sort strconv strings structs syscall testing text time unicode unique unsafe weak "
	root, _, _ := strings.Cut(path, "/")
	return root != "" && strings.Contains(roots, " "+root+" ")
}

// fixedSize reports whether t's memory is its value: it holds no pointers and
// nothing that refusal names.
func fixedSize(t reflect.Type) bool {
	switch k := t.Kind(); k {
	case reflect.Array:
		return fixedSize(t.Elem())
	case reflect.Struct:
		if p := t.PkgPath(); p == "sync" || p == "sync/atomic" || encodesItself(t) {
			return false
		}
		for i := range t.NumField() {
			if !fixedSize(t.Field(i).Type) {
				return false
			}
		}
		return true
	default:
		return reflect.Bool <= k && k <= reflect.Complex128 && !encodesItself(t)
	}
}

var (
	gobEncoder    = reflect.TypeFor[gob.GobEncoder]()
	gobDecoder    = reflect.TypeFor[gob.GobDecoder]()
	binEncoder    = reflect.TypeFor[encoding.BinaryMarshaler]()
	binDecoder    = reflect.TypeFor[encoding.BinaryUnmarshaler]()
	marshalerPair = [][2]reflect.Type{{gobEncoder, gobDecoder}, {binEncoder, binDecoder}}
)

func encodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	for _, pair := range marshalerPair {
		if p.Implements(pair[0]) && p.Implements(pair[1]) {
			return true
		}
	}
	return false
}

// bySelf uses the methods of a type that encodes itself for gob or as binary.
func (b builder) bySelf(c *codec, t reflect.Type) (bool, error) {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || !encodesItself(t) {
		return false, nil
	}
	viaGob := reflect.PointerTo(t).Implements(gobEncoder) && reflect.PointerTo(t).Implements(gobDecoder)
	c.encode = func(w *writer, p unsafe.Pointer) {
		v := reflect.NewAt(t, p).Interface()
		out, err := guarded(func() ([]byte, error) {
			if viaGob {
				return v.(gob.GobEncoder).GobEncode()
			}
			return v.(encoding.BinaryMarshaler).MarshalBinary()
		})
		if err != nil {
			w.fail(fmt.Errorf("mp: encoding a %v: %w", t, err))
		}
		w.putLen(len(out), false)
		w.b = append(w.b, out...)
	}
	c.decode = func(r *reader, p unsafe.Pointer) {
		n, _ := r.takeLen(1)
		in := r.take(uintptr(max(n, 0)))
		if r.err != nil {
			return
		}
		v := reflect.NewAt(t, p).Interface()
		_, err := guarded(func() ([]byte, error) {
			if viaGob {
				return nil, v.(gob.GobDecoder).GobDecode(in)
			}
			return nil, v.(encoding.BinaryUnmarshaler).UnmarshalBinary(in)
		})
		if err != nil {
			r.reject(fmt.Errorf("decoding a %v: %w", t, err))
		}
	}
	return true, nil
}

// guarded calls a user's method, whose panic is an error: it runs where locks
// are held, or in a goroutine of this package.
func guarded(f func() ([]byte, error)) (b []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return f()
}

func typeName(t reflect.Type) string {
	if t.Name() == "" {
		return "the value"
	}
	return t.Name()
}
