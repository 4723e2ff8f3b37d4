package codec

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

type shape2 interface{ Area() float64 }

type rect struct {
	Name string
	w, h float64
	tags []string
	next any
}

func (r rect) Area() float64 { return r.w * r.h }

type circle struct{ r float64 }

func (c *circle) Area() float64 { return c.r }

type pair[K comparable, V any] struct {
	key   K
	value V
}

type scalar float64

type hooks struct {
	Name   string
	OnDone func(error)
	events chan int
}

type embedsInterface struct {
	shape2
	error
	n int
}

type labelled map[scalar][]any

// TestCodecOfDynamicTypes checks that a value in an interface arrives with its type and
// all its fields.
func TestCodecOfDynamicTypes(t *testing.T) {
	type local struct {
		a int
		b *string
	}
	text := "text"
	travels[shape2](t, nil, rect{"a", 2, 3, nil, nil}, rect{tags: []string{}, next: &rect{w: 1}}, &circle{4}, (*circle)(nil))
	travels[any](t, rect{next: []any{nil, []int(nil), []int{}, map[string]int(nil), map[string]int{}}})
	travels[any](t, local{1, &text}, &local{}, []local{{2, nil}}, [2]*local{nil, {}}, map[local]local{})
	travels[any](t, pair[string, []rect]{"k", []rect{{w: 1}}}, &pair[int, any]{1, pair[int, any]{2, nil}})
	travels[any](t, struct{ a, B any }{1, scalar(2)}, []struct{ x int8 }{{1}}, struct{}{}, [0]int{}, [3]any{1, "x", nil})
	travels[any](t, hooks{Name: "no hooks"}, &hooks{}, labelled{1: {scalar(2), nil}, 3: nil}, scalar(math.Inf(1)))
	travels[any](t, embedsInterface{shape2: rect{w: 7}, n: 1}, embedsInterface{error: scalarError(3)})
	travels[any](t, (*rect)(nil), (**rect)(nil), (*big.Int)(nil), big.NewInt(7), *big.NewInt(7), time.UTC, time.Second, time.March)
	travels[any](t, netip.MustParseAddr("fe80::1%eth0"), netip.MustParsePrefix("10.0.0.0/8"), netip.Addr{}, netip.AddrPort{})
	travels[any](t, &url.URL{Scheme: "https", Host: "go.dev", Path: "/x"}, *big.NewRat(1, 3), big.NewFloat(1.5))
	travels[any](t, int8(1), uint64(math.MaxUint64), uintptr(9), complex64(1i), []byte(nil), []byte{}, map[string]any{"a": []any{}})
	travels[[]shape2](t, nil, []shape2{}, []shape2{nil, rect{w: 1}, &circle{2}})
	travels[map[any]any](t, map[any]any{1: "a", "b": 2, rect2{1}: nil, [1]any{2}: true})
	if got := again[any](t, map[float64]any{math.NaN(): "nan", 1: "one"}).(map[float64]any); len(got) != 2 || got[1] != "one" {
		t.Errorf("a map with a NaN arrived as %v", got)
	}
	for _, v := range []any{ownByPointer{N: 1}, &ownByPointer{N: 1}, own{N: 1}, &own{N: 1}} {
		if got := fmt.Sprint(reflect.Indirect(reflect.ValueOf(again(t, v))).FieldByName("N")); got != "2" {
			t.Errorf("%T: its own methods were not used: N is %v", v, got)
		}
	}
}

type rect2 struct{ a int }

type scalarError int

func (e scalarError) Error() string { return fmt.Sprint("scalar ", int(e)) }

// TestCodecOfTypesMadeByReflect checks types that reflect made, which are not in the
// binary.
func TestCodecOfTypesMadeByReflect(t *testing.T) {
	elem := reflect.TypeFor[rect2]()
	field := reflect.StructField{Name: "N", Type: reflect.SliceOf(reflect.MapOf(elem, reflect.ArrayOf(5, elem))), Tag: `k:"v"`}
	small := reflect.StructField{Name: "n", PkgPath: "example.org/p", Type: reflect.PointerTo(reflect.PointerTo(reflect.PointerTo(elem)))}
	nilled := reflect.StructField{Name: "C", Type: reflect.ChanOf(reflect.RecvDir, reflect.ArrayOf(11, elem))}
	for _, made := range []reflect.Type{reflect.StructOf([]reflect.StructField{field, small, nilled}), reflect.ArrayOf(7, elem), reflect.SliceOf(reflect.ArrayOf(9, elem))} {
		v := reflect.New(made).Elem()
		travels(t, v.Interface(), v.Addr().Interface())
		if v.Kind() == reflect.Struct {
			m := reflect.MakeMap(field.Type.Elem())
			m.SetMapIndex(reflect.ValueOf(rect2{3}), reflect.New(m.Type().Elem()).Elem())
			v.Field(0).Set(reflect.Append(v.Field(0), m))
			travels(t, v.Interface())
		}
		typeNames.Clear()
		typesNamed.Clear()
		travels(t, v.Interface())
	}
}

func TestCodecRefusesInInterfaces(t *testing.T) {
	ring := []any{nil}
	ring[0] = ring
	for want, v := range map[string]any{
		"the value.(map[string]interface {})[k].([]interface {})[1].(codec.hooks).OnDone: a value of the type func(error) cannot be encoded": map[string]any{"k": []any{1, hooks{OnDone: func(error) {}}}},
		"events: a value of the type chan int cannot be encoded":                                                                             &hooks{events: make(chan int)},
		"cycle": ring,
		"holds a value of the type *strings.Reader":                               []any{strings.NewReader("x")},
		"holds a value of the type codec.unsent: cannot send":                     []any{unsent{}},
		"in: a value of the type codec.unsentInside cannot be encoded: no, never": []any{&unsentPointer{}},
	} {
		_, err := encode(&v)
		says(t, err, want)
	}
}

//lint:file-ignore U1000 fields and methods that only reflection reads

type unsent struct{ l sync2 }
type sync2 struct{ ch []chan int }

type unsentPointer struct{ in unsentInside }
type unsentInside struct{ n int }

func (unsentInside) MarshalBinary() ([]byte, error)  { return nil, errors.New("no, never") }
func (*unsentInside) UnmarshalBinary(b []byte) error { return nil }

// TestCodecOfTimes checks that a time keeps its location, by name or as the zone at
// that time.
func TestCodecOfTimes(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		oslo = time.FixedZone("Europe/Oslo", 3600)
	}
	at := time.Date(2026, 7, 3, 4, 5, 6, 7, time.UTC)
	for _, l := range []*time.Location{time.UTC, time.Local, oslo, time.FixedZone("odd", 12345), time.FixedZone("", -60)} {
		for _, v := range []time.Time{at.In(l), at.AddDate(0, 6, 0).In(l), time.Time{}.In(l), time.Date(-9999, 1, 1, 0, 0, 0, 0, l)} {
			got := again[any](t, []time.Time{v}).([]time.Time)[0]
			if !got.Equal(v) || got.String() != v.String() || got.Location().String() != l.String() {
				t.Errorf("%v of %v arrived as %v of %v", v, v.Location(), got, got.Location())
			}
		}
		if got := again(t, l); got.String() != l.String() || at.In(got).String() != at.In(l).String() {
			t.Errorf("location %v arrived as %v", l, got)
		}
	}
	if got := again(t, at.In(time.Local)); got.Location() != time.Local {
		t.Errorf("time.Local arrived as %p", got.Location())
	}
	if got := again[*time.Location](t, nil); got != nil {
		t.Errorf("no location arrived as %v", got)
	}
	travels(t, time.Time{}, at)
}

// A maker makes random values of random types.
type maker struct{ *rand.Rand }

func (m maker) typ(depth int) reflect.Type {
	static := []reflect.Type{
		reflect.TypeFor[bool](), reflect.TypeFor[int8](), reflect.TypeFor[uint32](), reflect.TypeFor[float64](), reflect.TypeFor[complex128](),
		reflect.TypeFor[string](), reflect.TypeFor[word](), reflect.TypeFor[scalar](), reflect.TypeFor[any](), reflect.TypeFor[rect](),
		reflect.TypeFor[hidden](), reflect.TypeFor[rect2](), reflect.TypeFor[circle](), reflect.TypeFor[pair[string, any]](), reflect.TypeFor[labelled](),
		reflect.TypeFor[node](), reflect.TypeFor[embedding](), reflect.TypeFor[boxed](), reflect.TypeFor[hooks](), reflect.TypeFor[struct{}](),
	}
	if depth <= 0 || m.IntN(3) == 0 {
		return static[m.IntN(len(static))]
	}
	elem := m.typ(depth - 1)
	switch m.IntN(5) {
	case 0:
		return reflect.PointerTo(elem)
	case 1:
		return reflect.SliceOf(elem)
	case 2:
		return reflect.ArrayOf(m.IntN(4), elem)
	case 3:
		return reflect.MapOf(static[m.IntN(9)], elem)
	}
	return reflect.StructOf([]reflect.StructField{{Name: "A", Type: elem}, {Name: "B", Type: m.typ(depth - 1), Tag: `b:"1"`}})
}

func (m maker) fill(v reflect.Value, depth int) {
	if !v.CanSet() { // an unexported field
		v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(m.IntN(2) == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(m.Int64())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(m.Uint64())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(m.NormFloat64())
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(m.NormFloat64(), 1))
	case reflect.String:
		v.SetString(strings.Repeat("é", m.IntN(5)))
	case reflect.Array, reflect.Struct:
		m.parts(v, depth)
	default:
		if depth > 0 && m.IntN(4) > 0 {
			m.refer(v, depth)
		}
	}
}

func (m maker) parts(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[url.URL]() { // it is encoded as its text
		v.Set(reflect.ValueOf(url.URL{Scheme: "https", Host: "go.dev"}))
		return
	}
	if v.Kind() == reflect.Array {
		for i := range v.Len() {
			m.fill(v.Index(i), depth-1)
		}
		return
	}
	for i := range v.NumField() {
		m.fill(v.Field(i), depth-1)
	}
}

// refer makes v refer to something.
func (m maker) refer(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		m.fill(v.Elem(), depth-1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), m.IntN(4), 7))
		for i := range v.Len() {
			m.fill(v.Index(i), depth-1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range m.IntN(4) {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			if m.fill(elem, depth-1); key.Kind() == reflect.Interface {
				key.Set(reflect.ValueOf(rect2{m.Int()}))
			} else {
				m.fill(key, depth-1)
			}
			v.SetMapIndex(key, elem)
		}
	case reflect.Interface:
		if v.Type() == reflect.TypeFor[error]() {
			v.Set(reflect.ValueOf(scalarError(m.IntN(9))))
			return
		}
		held := reflect.New(m.typ(min(depth-1, 2))).Elem()
		m.fill(held, depth-1)
		v.Set(held)
	}
}

// TestCodecKeepsRandomValues checks that random values of random types arrive unchanged
// in an interface.
func TestCodecKeepsRandomValues(t *testing.T) {
	for seed := range uint64(2000) {
		m := maker{rand.New(rand.NewPCG(seed, 7))}
		v := reflect.New(m.typ(3)).Elem()
		m.fill(v, 6)
		sent := v.Interface()
		b, err := encode(&sent)
		if err != nil {
			t.Fatalf("seed %d: encoding %#v: %v", seed, sent, err)
		}
		var got any
		if err := decode(b, &got); err != nil {
			t.Fatalf("seed %d: decoding %#v: %v", seed, sent, err)
		}
		if !reflect.DeepEqual(got, sent) {
			t.Fatalf("seed %d: %#v arrived as %#v", seed, sent, got)
		}
		typesNamed.Clear()
		hostile(t, m, b)
	}
}

// hostile decodes corrupted data: that must not panic or allocate much memory.
func hostile(t *testing.T, m maker, b []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 4 {
		bad := append([]byte(nil), b...)
		for range 1 + m.IntN(3) {
			if len(bad) > 0 {
				bad[m.IntN(len(bad))] = byte(m.Uint32())
			}
		}
		var got any
		_ = decode(bad[:len(bad)-m.IntN(1+len(bad)/4)], &got)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(1<<20+1000*len(b)) {
		t.Errorf("decoding %d bytes asked for %d bytes of memory", len(b), used)
	}
}

// FuzzInterface decodes arbitrary bytes to an interface.
func FuzzInterface(f *testing.F) {
	for seed := range uint64(50) {
		m := maker{rand.New(rand.NewPCG(seed, 9))}
		v := reflect.New(m.typ(2)).Elem()
		m.fill(v, 4)
		sent := v.Interface()
		b, err := encode(&sent)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v any
		if decode(b, &v) == nil {
			if _, err := encode(&v); err != nil {
				t.Fatalf("%#v was decoded and cannot be encoded: %v", v, err)
			}
		}
		_ = DecodeError(b)
	})
}

func TestCodecOfDeepBytes(t *testing.T) {
	deep := append([]byte{}, strings.Repeat("\x01", 1<<20)...)
	var v *node
	if err := decode(deep, &v); !errors.Is(err, failure.ErrMalformed) {
		t.Errorf("a million levels: %v", err)
	}
	id, _ := typeID(reflect.TypeFor[[]any]())
	one := append([]byte{holdsValue, byte(len(id) + 1)}, id...)
	var w any
	if err := decode([]byte(strings.Repeat(string(append(one, 2)), 1<<18)), &w); !errors.Is(err, failure.ErrMalformed) {
		t.Errorf("many interfaces in each other: %v", err)
	}
}
