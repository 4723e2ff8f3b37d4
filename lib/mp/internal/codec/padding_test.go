package codec

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"unsafe"
)

type padded struct {
	A int8 // padding follows
	B int64
	C int16 // padding follows
}

type paddedParts struct {
	A byte
	B padded
	C [2]padded
	D [100]padded
	E [3][40]padded
	F [0]padded
	G uint32
	H struct{} // padding follows: the address of the field is in the value
}

type blank struct {
	A int32
	_ int32
	B int16
	_ [3]uint16
	_ struct{ C, D int64 }
	E int8
}

type blankPointers struct {
	_    *int
	Name string
	_    func()
	_    padded
	Part padded
	_    map[string]int
}

// dirty returns a copy of v with b in all bytes that hold no data.
func dirty[T any](v T, b byte) *T {
	p := new(T)
	memory := unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(v))
	for i := range memory {
		memory[i] = b
	}
	copyData(reflect.ValueOf(p).Elem(), reflect.ValueOf(&v).Elem())
	return p
}

// copyData copies the numbers in from to their places in to, and nothing between them.
func copyData(to, from reflect.Value) {
	switch to.Kind() {
	case reflect.Struct:
		for i := range to.NumField() {
			if to.Type().Field(i).Name != "_" {
				copyData(to.Field(i), from.Field(i))
			}
		}
	case reflect.Array:
		for i := range to.Len() {
			copyData(to.Index(i), from.Index(i))
		}
	default:
		to.Set(from)
	}
}

// hasOneEncoding checks that v has one encoding whatever its padding holds, and that the value
// arrives.
func hasOneEncoding[T any](t *testing.T, v T) {
	t.Helper()
	want, err := encode(&v)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []byte{0, 0x55, 0xff} {
		d := dirty(v, b)
		if got, err := encode(d); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%T with %#x as padding is encoded as %x, error %v; want %x", v, b, got, err, want)
		}
		sliceHasOneEncoding(t, []T{*dirty(v, b), *d, *d}, []T{v, v, v})
		if got := again(t, *d); !reflect.DeepEqual(got, v) {
			t.Errorf("%#v arrived as %#v", v, got)
		}
	}
}

func sliceHasOneEncoding[T any](t *testing.T, dirty, clean []T) {
	t.Helper()
	want, err := encode(&clean)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := encode(&dirty); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%T: equal slices are encoded as %x, error %v, and %x", clean, got, err, want)
	}
}

// TestPaddingIsNotEncoded checks that an encoding does not depend on bytes that hold no data.
func TestPaddingIsNotEncoded(t *testing.T) {
	hasOneEncoding(t, padded{-1, -2, -3})
	hasOneEncoding(t, [2]padded{{1, 2, 3}, {4, 5, 6}})
	hasOneEncoding(t, struct{ A, B padded }{padded{1, 2, 3}, padded{-1, -2, -3}})
	hasOneEncoding(t, blank{A: -1, B: -1, E: -1})
	parts := paddedParts{A: 1, B: padded{2, 3, 4}, G: 5}
	for i := range parts.D {
		parts.D[i], parts.E[1][i%40] = padded{-1, int64(i), -1}, padded{1, 1, int16(i)}
	}
	hasOneEncoding(t, parts)
	hasOneEncoding(t, struct {
		A int8
		B complex128
		C float32
	}{1, complex(math.Copysign(0, -1), math.Inf(1)), -1})

	for _, b := range []byte{1, 0xff} {
		v, d := padded{1, 2, 3}, dirty(padded{1, 2, 3}, b)
		equalEncodings(t, &map[padded]padded{v: v}, &map[padded]padded{*d: *d})
		equalEncodings(t, &[]any{v, &v}, &[]any{*d, d})
		equalEncodings(t, &blankPointers{Name: "x", Part: v}, &blankPointers{Name: "x", Part: *d})
	}
}

func equalEncodings[T any](t *testing.T, a, b *T) {
	t.Helper()
	first, err := encode(a)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := encode(b); err != nil || !bytes.Equal(first, second) {
		t.Errorf("%T: equal values are encoded as %x and %x, error %v", *a, first, second, err)
	}
}

// TestBlankFieldsAreNotSent checks that the values of fields named _, which Go code cannot
// set, neither change the encoding nor make it fail.
func TestBlankFieldsAreNotSent(t *testing.T) {
	v := blankPointers{Name: "x", Part: padded{1, 2, 3}}
	n := 7
	d := v
	*(**int)(unsafe.Pointer(&d)) = &n
	*(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(&d), reflect.TypeFor[blankPointers]().Field(2).Offset)) = unsafe.Pointer(&n)
	equalEncodings(t, &v, &d)
	travels(t, v)
}

// TestPaddingOfRandomTypes compares the padding of random types with the bytes between their
// numbers.
func TestPaddingOfRandomTypes(t *testing.T) {
	for range 500 {
		typ := randomType(3)
		data := make([]byte, typ.Size())
		markData(data, typ)
		memory := reflect.New(typ)
		b := unsafe.Slice((*byte)(memory.UnsafePointer()), typ.Size())
		for i := range b {
			b[i] = 0xff
		}
		c, err := Of(typ)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Marshal(memory.UnsafePointer())
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%v is encoded as %x, error %v; want %x", typ, got, err, data)
		}
	}
}

func randomType(depth int) reflect.Type {
	numbers := []reflect.Type{
		reflect.TypeFor[uint8](), reflect.TypeFor[int16](), reflect.TypeFor[float32](), reflect.TypeFor[uint64](), reflect.TypeFor[complex64](),
		reflect.TypeFor[struct{}](), reflect.TypeFor[blank](),
	}
	switch n := rand.N(4); {
	case depth == 0 || n == 0:
		return numbers[rand.N(len(numbers))]
	case n == 1:
		return reflect.ArrayOf(rand.N(12), randomType(depth-1))
	}
	fields := make([]reflect.StructField, rand.N(6))
	for i := range fields {
		fields[i] = reflect.StructField{Name: fmt.Sprint("F", i), Type: randomType(depth - 1)}
	}
	return reflect.StructOf(fields)
}

// markData sets the bytes of b, a value of type t, that belong to numbers.
func markData(b []byte, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Name != "_" {
				markData(b[f.Offset:][:f.Type.Size()], f.Type)
			}
		}
	case reflect.Array:
		for i := range t.Len() {
			markData(b[uintptr(i)*t.Elem().Size():][:t.Elem().Size()], t.Elem())
		}
	default:
		for i := range b {
			b[i] = 0xff
		}
	}
}

// TestEqualFloats checks which floats have equal encodings: those with equal bits. The
// functions that receive 0 and -0, or two NaNs, may tell them apart.
func TestEqualFloats(t *testing.T) {
	zero, minus := 0.0, math.Copysign(0, -1)
	a, _ := encode(&zero)
	b, _ := encode(&minus)
	if bytes.Equal(a, b) {
		t.Error("0 and -0 have equal encodings")
	}
	x, y := math.Float64frombits(0x7ff8_0000_dead_beef), math.Float64frombits(0x7ff8_0000_dead_beef)
	equalEncodings(t, &x, &y)
}

func BenchmarkEncode(b *testing.B) {
	b.Run("number", func(b *testing.B) { benchmarkEncode(b, 1) })
	b.Run("struct", func(b *testing.B) { benchmarkEncode(b, struct{ A, B, C int64 }{1, 2, 3}) })
	b.Run("padded", func(b *testing.B) { benchmarkEncode(b, padded{1, 2, 3}) })
	b.Run("structs", func(b *testing.B) { benchmarkEncode(b, make([]struct{ A, B, C int64 }, 10_000)) })
	b.Run("paddedStructs", func(b *testing.B) { benchmarkEncode(b, make([]padded, 10_000)) })
}

func benchmarkEncode[T any](b *testing.B, v T) {
	c := codecOf[T]()
	var w Writer
	for b.Loop() {
		w.B = w.B[:0]
		c.Encode(&w, unsafe.Pointer(&v))
	}
	if w.Err != nil {
		b.Fatal(w.Err)
	}
	b.SetBytes(int64(len(w.B)))
}
