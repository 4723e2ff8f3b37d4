package codec

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"math/big"
	"math/rand/v2"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

type hidden struct {
	a int8 // padding follows
	b uint64
	c bool
	d [3]complex64
}

type word string

type node struct {
	Name  word
	Left  *node
	Kids  []node
	Named map[string]*node
}

type generic[T any] struct{ v T }

type embedding struct {
	hidden
	*url.URL
	text string
}

type boxed struct {
	V     any
	Err   error
	Inner []struct{ At map[string]any }
}

func again[T any](t *testing.T, v T) T {
	t.Helper()
	b, err := encode(&v)
	if err != nil {
		t.Fatalf("encoding %T: %v", v, err)
	}
	var got T
	if err := decode(b, &got); err != nil {
		t.Fatalf("decoding %T: %v", v, err)
	}
	return got
}

func travels[T any](t *testing.T, values ...T) {
	t.Helper()
	for _, v := range values {
		if got := again(t, v); !reflect.DeepEqual(got, v) {
			t.Errorf("%#v arrived as %#v", v, got)
		}
	}
}

func TestCodecOfNumbersAndText(t *testing.T) {
	travels(t, true, false)
	travels(t, math.MinInt, 0, math.MaxInt)
	travels(t, math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64)
	travels(t, complex(1, -2))
	travels(t, "", "text", "\x00\xff", strings.Repeat("long", 10_000))
	travels(t, word("of its own type"))
	travels(t, struct{}{})
	const odd = 0x7ff8_0000_dead_beef // a NaN with a payload
	if got := math.Float64bits(again(t, math.Float64frombits(odd))); got != odd {
		t.Errorf("a NaN arrived as %x", got)
	}
	if v := math.Float64frombits(math.Float64bits(math.Copysign(0, -1))); !math.Signbit(again(t, v)) {
		t.Error("minus zero lost its sign")
	}
}

func TestCodecOfComposites(t *testing.T) {
	travels(t, hidden{-1, 1 << 63, true, [3]complex64{1i, 2}})
	travels(t, [2]hidden{{a: 1}, {d: [3]complex64{3}}})
	travels(t, [0]string{})
	travels(t, [3]string{"a", "", "c"})
	travels(t, nil, []int{}, []int{1, 2}, make([]int, 100_000))
	travels(t, nil, [][]string{}, [][]string{nil, {}, {"a"}})
	travels(t, nil, []struct{}{}, make([]struct{}, 5))
	travels(t, nil, [][0]string{{}, {}})
	travels(t, nil, map[string][]int{}, map[string][]int{"a": nil, "b": {}, "c": {1}})
	travels(t, nil, map[struct{}]struct{}{}, map[struct{}]struct{}{{}: {}})
	travels(t, generic[string]{"g"}, generic[string]{})
	travels(t, generic[map[int]*hidden]{map[int]*hidden{1: {a: 1}, 2: nil}})
	travels(t, embedding{hidden{a: 1}, &url.URL{Scheme: "https", Host: "go.dev"}, "x"}, embedding{})
	n := 7
	p := &n
	travels(t, nil, &p)
	if got := again(t, map[float64]int{math.NaN(): 1, 2: 3}); len(got) != 2 || got[2] != 3 {
		t.Errorf("a map with a NaN arrived as %v", got)
	}
}

func TestCodecOfRecursiveTypes(t *testing.T) {
	travels(t, node{Name: "root", Left: &node{Kids: []node{{}, {Name: "kid", Kids: []node{}}}},
		Named: map[string]*node{"nil": nil, "one": {Name: "one"}}})
	ring := &node{Name: "ring"}
	ring.Left = ring
	_, err := encode(&ring)
	says(t, err, "the value.Left.Left.", "cycle")
	if err != nil && len(err.Error()) > 1000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestCodecOfTypesThatEncodeThemselves(t *testing.T) {
	travels(t, time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC), time.Time{})
	travels(t, nil, big.NewInt(1).Lsh(big.NewInt(3), 500))
	travels(t, struct{ At []time.Duration }{[]time.Duration{time.Second}})
	// Methods of an embedded field are not the struct's own.
	travels(t, dated{time.Unix(1, 0).UTC(), 7}, dated{N: 8})
	travels(t, &datedAtAll{dated: dated{N: 1}, more: "more"})
	travels(t, own{Time: time.Unix(1, 0).UTC()})
	if got := again(t, own{N: 3}); got.N != 4 {
		t.Errorf("its own methods were not used: %+v", got)
	}
	if got := again(t, ownByPointer{N: 3}); got.N != 4 {
		t.Errorf("its own methods were not used: %+v", got)
	}
}

type dated struct {
	time.Time
	N int
}

type datedAtAll struct {
	dated
	more string
}

type own struct {
	time.Time
	N int
}

func (o own) GobEncode() ([]byte, error) {
	b, err := o.Time.MarshalBinary()
	return append(b, byte(o.N)), err
}

func (o *own) GobDecode(b []byte) error {
	if o.N = int(b[len(b)-1]); o.N > 0 {
		o.N++
	}
	return o.Time.UnmarshalBinary(b[:len(b)-1])
}

type ownByPointer struct {
	*big.Int
	N int
}

func (o *ownByPointer) GobEncode() ([]byte, error) { return []byte{byte(o.N)}, nil }

func (o *ownByPointer) GobDecode(b []byte) error { o.N = int(b[0]) + 1; return nil }

func TestCodecOfInterfaces(t *testing.T) {
	travels[any](t, nil, 1, "text", []byte{1}, 2.5)
	got := again(t, boxed{V: 7, Err: fs.ErrNotExist, Inner: []struct{ At map[string]any }{{nil}, {map[string]any{"x": true}}}})
	if got.V != 7 || !errors.Is(got.Err, fs.ErrNotExist) || got.Inner[0].At != nil || got.Inner[1].At["x"] != true {
		t.Errorf("arrived as %+v", got)
	}
	if again(t, boxed{}).Err != nil {
		t.Error("no error arrived as one")
	}
}

func TestCodecNamesWhatCannotBeSent(t *testing.T) {
	type deep struct {
		List []struct {
			M map[string]struct{ F func() }
		}
	}
	_, err := encode(&deep{List: []struct {
		M map[string]struct{ F func() }
	}{{}, {map[string]struct{ F func() }{"k": {func() {}}}}}})
	says(t, err, "deep.List[1].M[k].F: a value of the type func() cannot be encoded")
	_, err = encode(&struct{ C chan<- int }{make(chan int)})
	says(t, err, "the value.C", "chan<- int", "mp.Queue")
	cannot[[]func()](t, "the value[]", "func()")
	cannot[*sync.Mutex](t, "sync.Mutex", "mp.Mutex")
	cannot[struct{ N atomic.Int64 }](t, ".N", "atomic.Int64", "mp.Value")
	cannot[map[uintptr]func(int)](t, "func(int)")
	cannot[[2]chan int](t, "chan int")
	cannot[struct{ T *time.Timer }](t, ".T", "time.Timer")
	bad := boxed{Inner: []struct{ At map[string]any }{{}, {map[string]any{"k": struct{ M *sync.Mutex }{}}}}}
	_, err = encode(&bad)
	says(t, err, "boxed.Inner[1].At[k]: the interface holds a value of the type struct { M *sync.Mutex }", ".M has the type sync.Mutex")
	bad = boxed{V: struct{ F func() }{func() {}}}
	_, err = encode(&bad)
	says(t, err, "boxed.V.(struct { F func() }).F: a value of the type func() cannot be encoded")
	bad = boxed{V: func() {}}
	_, err = encode(&bad)
	says(t, err, "boxed.V: the interface holds a value of the type func()")
	bad = boxed{V: make(chan int)}
	_, err = encode(&bad)
	says(t, err, "boxed.V: the interface holds a value of the type chan int")
}

func cannot[T any](t *testing.T, parts ...string) {
	t.Helper()
	_, err := Of(reflect.TypeFor[T]())
	says(t, err, parts...)
}

func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%v does not say %q", err, p)
		}
	}
}

// TestCodecOfCorruptValues checks that corrupt or truncated data is an error, and
// causes allocations of no more than a small multiple of its size.
func TestCodecOfCorruptValues(t *testing.T) {
	v := node{Name: "root", Left: &node{Kids: []node{{Name: "kid"}}}, Named: map[string]*node{"one": {}}}
	b, err := encode(&v)
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		var got node
		if err := decode(b[:n], &got); !errors.Is(err, failure.ErrMalformed) {
			t.Errorf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}
	for _, err := range []error{
		decode(huge, new([]int)), decode(huge, new([]string)), decode(huge, new([]hidden)), decode(huge, new([]node)),
		decode(huge, new(map[int]int)), decode(huge, new(map[struct{}]struct{})), decode(huge, new(string)),
		decode(huge, new([]struct{})), decode(huge, new([][0]string)), decode(append([]byte{holdsValue}, huge...), new(any)), decode(huge, new(error)),
		decode(append(huge, 0), new(time.Time)),
	} {
		if !errors.Is(err, failure.ErrMalformed) {
			t.Errorf("an impossible length: %v", err)
		}
	}
}

type kitchen struct {
	A  int8
	B  []hidden
	C  string
	D  *kitchen
	E  [2][]byte
	F  map[string]string
	G  []struct{ X, Y *float64 }
	Er error
	T  *big.Int
}

// FuzzCodec decodes arbitrary bytes, and encodes and decodes the result again.
func FuzzCodec(f *testing.F) {
	x := 1.5
	for _, v := range []kitchen{
		{}, {A: 1, B: []hidden{{b: 2}}, C: "text", E: [2][]byte{{1}, nil}},
		{D: &kitchen{F: map[string]string{"k": "v"}}, G: []struct{ X, Y *float64 }{{&x, nil}}, Er: fs.ErrClosed, T: big.NewInt(9)},
	} {
		b, err := encode(&v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v, w kitchen
		if decode(b, &v) != nil {
			return
		}
		first, err := encode(&v)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		if err := decode(first, &w); err != nil {
			t.Fatalf("what was encoded cannot be decoded: %v", err)
		}
		second, err := encode(&w)
		if err != nil || !bytes.Equal(second, first) {
			t.Fatalf("%x became %x, %v", first, second, err)
		}
	})
}

func encode[T any](v *T) ([]byte, error) {
	c, err := Of(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	return c.Marshal(unsafe.Pointer(v))
}

func decode[T any](b []byte, v *T) error {
	c, err := Of(reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	return c.Unmarshal(b, unsafe.Pointer(v))
}

// TestEqualMapsHaveEqualEncodings checks that an encoding does not depend on the order in which
// a map gives its entries.
func TestEqualMapsHaveEqualEncodings(t *testing.T) {
	type value = map[string]map[[2]int]string
	c, err := Of(reflect.TypeFor[value]())
	if err != nil {
		t.Fatal(err)
	}
	encoded := map[string]bool{}
	for range 50 {
		v := value{}
		for _, i := range rand.Perm(20) {
			inner := map[[2]int]string{}
			for _, j := range rand.Perm(20) {
				inner[[2]int{j, i}] = strings.Repeat("x", j)
			}
			v[strings.Repeat("y", i)] = inner
		}
		b, err := c.Marshal(unsafe.Pointer(&v))
		if err != nil {
			t.Fatal(err)
		}
		encoded[string(b)] = true
		var back value
		if err := c.Unmarshal(b, unsafe.Pointer(&back)); err != nil || !reflect.DeepEqual(back, v) {
			t.Fatalf("got %v, %v", back, err)
		}
	}
	if len(encoded) != 1 {
		t.Errorf("equal values have %d encodings", len(encoded))
	}
}
