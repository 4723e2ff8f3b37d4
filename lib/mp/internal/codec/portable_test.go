package codec

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"
)

type portablePoint struct{ X int }

var errPortable = errors.New("held by a variable")

// TestPortable checks that a portable encoding has no addresses in the binary, and that a portable
// Reader accepts none.
func TestPortable(t *testing.T) {
	for _, v := range []any{1, "text", []byte{1}, map[string]any{"a": 1.5, "b": []any{true}}} {
		b, err := codecOf[any]().MarshalFor(unsafe.Pointer(&v), true)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := codecOf[any]().UnmarshalFor(b, unsafe.Pointer(&got), true); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%v arrives as %v, error %v", v, got, err)
		}
	}
	var placed any = portablePoint{1}
	if _, err := codecOf[any]().MarshalFor(unsafe.Pointer(&placed), true); err == nil || !strings.Contains(err.Error(), "cannot be sent to another program") {
		t.Errorf("a type of this program was encoded: error %v", err)
	}
	b, err := codecOf[any]().Marshal(unsafe.Pointer(&placed))
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := codecOf[any]().UnmarshalFor(b, unsafe.Pointer(&got), true); err == nil {
		t.Errorf("a place in the binary was decoded as %v", got)
	}
}

func TestPortableErrors(t *testing.T) {
	for _, err := range []error{io.EOF, errPortable, fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)} {
		got := DecodeErrorFor(EncodeErrorFor(err, true), true)
		if got == nil || got.Error() != err.Error() {
			t.Errorf("%v arrives as %v", err, got)
		}
		if root := errors.Unwrap(err); root != nil && !errors.Is(got, root) || err == io.EOF && got != io.EOF {
			t.Errorf("%v arrives as another error, %T", err, got)
		}
	}
	if got := DecodeErrorFor(EncodeError(errPortable), true); got == nil || got == errPortable {
		t.Errorf("the place of a variable was decoded: %v", got)
	}
}

func TestHoldsInterface(t *testing.T) {
	type list struct{ Next *list }
	type deep struct {
		M map[string][]struct{ E error }
	}
	for _, pointer := range []any{(*int)(nil), (*portablePoint)(nil), (*list)(nil), (*time.Time)(nil), (*map[string][]byte)(nil)} {
		if got := HoldsInterface(pointer); got != nil {
			t.Errorf("%T holds %v", pointer, got)
		}
	}
	if got := HoldsInterface((*deep)(nil)); got != reflect.TypeFor[error]() {
		t.Errorf("the interface is %v", got)
	}
}

// codecOf returns the codec of T.
func codecOf[T any]() *Codec {
	c, err := Of(reflect.TypeFor[T]())
	if err != nil {
		panic(err)
	}
	return c
}
