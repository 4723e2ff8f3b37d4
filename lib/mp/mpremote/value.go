package mpremote

import (
	"reflect"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// Marshal encodes the variable that pointer points to, as an argument is encoded.
func Marshal(pointer any) ([]byte, error) {
	c, err := codec.OfPointee(pointer)
	if err != nil {
		return nil, err
	}
	var b []byte
	err = failure.Catch(func() (err error) { b, err = c.Marshal(reflect.ValueOf(pointer).UnsafePointer()); return err })
	return b, err
}

// Unmarshal decodes what Marshal encoded, in a process of the same Build, to the variable
// that pointer points to, which must have the same type and be zero.
func Unmarshal(b []byte, pointer any) error {
	c, err := codec.OfPointee(pointer)
	if err != nil {
		return err
	}
	return failure.Catch(func() error { return c.Unmarshal(b, reflect.ValueOf(pointer).UnsafePointer()) })
}
