package mp

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"reflect"
	"unsafe"
)

func encode[T any](v *T) ([]byte, error) {
	t := reflect.TypeFor[T]()
	if fixedSize(t) {
		return bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(v)), t.Size())), nil
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return nil, fmt.Errorf("mp: cannot send a %v: %w", t, err)
	}
	return b.Bytes(), nil
}

func decode[T any](b []byte, v *T) error {
	t := reflect.TypeFor[T]()
	if fixedSize(t) {
		if uintptr(len(b)) != t.Size() {
			return errMalformed
		}
		copy(unsafe.Slice((*byte)(unsafe.Pointer(v)), t.Size()), b)
		return nil
	}
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(v); err != nil {
		return fmt.Errorf("mp: cannot receive a %v: %w", t, err)
	}
	return nil
}

// fixedSize reports whether t's memory is its value: it holds no pointers.
func fixedSize(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return true
	case reflect.Array:
		return fixedSize(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !fixedSize(t.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return false
}
